"""What the readers take that decide without a prediction, at the paper's sizes.

A step of 128 problems, of which as many as four times that are drawn; a window of 512 groups. Timed
are the regression, fitted anew, reading all problems, and the state that a checkpoint holds. Hidden
states are drawn from a generator, of the size of an 8B model's. What the policy takes to read the
prompts is a closed form: 2 flops a parameter and token, at a share of the card's peak.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from masa_control import (
    GroupOutcome,
    ProbeReaderSettings,
    ProblemView,
    WordsReaderSettings,
)
from masa_control.readers.regression_reader import ProbeReader, WordsReader

from masa_benchmarks.overhead.generation import GPUS, MODELS, generation_seconds
from masa_benchmarks.overhead.text import MathRow, StepSize, make_tokenizer

UNITS, LAYERS = 4096, 36
"""Of Qwen3-8B."""
PEAK, USED = 989e12, 0.4
"""Flops a second of an H100 in bfloat16, without sparsity (NVIDIA's data sheet), and the share of
them that is reached."""
ROLLOUTS = 16


class ReaderSeconds(NamedTuple):
    """What a reader takes of a step, seconds of processor time.

    Attributes:
        fit: the regression.
        read: all problems that are drawn.
        learn: outcomes taken in.
        state: of a checkpoint, as text.
        megabytes: of that text.
    """

    fit: float
    read: float
    learn: float
    state: float
    megabytes: float

    @property
    def total(self) -> float:
        """Seconds of a step, its state included, which is made in every one."""
        return self.fit + self.read + self.learn + self.state


def time_reader(
    reader: Any, make_view: Callable[[int], ProblemView], problems: int, drawn: int, window: int
) -> ReaderSeconds:
    """Fill a reader's window and time a step of it.

    Args:
        reader: a new one.
        make_view: a problem by its number.
        problems: of a step's batch.
        drawn: problems that are read.
        window: groups of the window.
    """
    rng = np.random.default_rng(0)
    number = 0

    def play(many: int) -> tuple[list[ProblemView], list[GroupOutcome]]:
        nonlocal number
        views = [make_view(number + i) for i in range(many)]
        number += many
        rates = rng.beta(0.6, 0.6, size=many)
        right = rng.binomial(ROLLOUTS, rates)
        outcomes = [
            GroupOutcome(view.problem_id, int(k), ROLLOUTS)
            for view, k in zip(views, right, strict=True)
        ]
        return views, outcomes

    views, outcomes = play(window)
    reader.read_many(views, 1)
    reader.observe(outcomes, 1)
    views, outcomes = play(drawn)
    fit = _time(lambda: reader.read_many(views[:1], 2))
    read = _time(lambda: reader.read_many(views, 2))
    learn = _time(lambda: reader.observe(outcomes[:problems], 2))
    sizes: list[int] = []
    state = _time(lambda: sizes.append(len(json.dumps(reader.state_dict()))))
    return ReaderSeconds(fit, read, learn, state, sizes[0] / 1e6)


def _time(run: Callable[[], Any]) -> float:
    began = time.process_time()
    run()
    return time.process_time() - began


def compute_forward_seconds(parameters: float, tokens: float, gpus: int = GPUS) -> float:
    """Return how long a policy takes to read so many tokens on all GPUs together."""
    return 2 * parameters * tokens / (gpus * PEAK * USED)


def measure_readers(rows: Sequence[MathRow], rounds: int, problems: int, ahead: int) -> None:
    """Print what words and probe take of a step, beside the least that generation takes.

    Args:
        rows: problems whose words are read.
        rounds: each is timed so often; medians are printed.
        problems: of a step.
        ahead: times as many are drawn, at most.
    """
    tokenizer = make_tokenizer(rows)
    prompts = [tokenizer(row.problem, add_special_tokens=False)["input_ids"] for row in rows[:4000]]
    rng = np.random.default_rng(1)
    depths = ProbeReaderSettings().depths
    hidden = rng.normal(size=(1024, 2 * len(depths) * UNITS)).astype(np.float32)
    model = MODELS["Qwen3-8B"]
    step = generation_seconds(model, StepSize(problems=problems))
    makers: dict[str, tuple[Callable[[], Any], Callable[[int], ProblemView]]] = {
        "words": (
            lambda: WordsReader(WordsReaderSettings()),
            lambda i: ProblemView(str(i), prompts[i % len(prompts)]),
        ),
        "probe": (
            lambda: ProbeReader(ProbeReaderSettings()),
            lambda i: ProblemView(str(i), hidden_D=hidden[i % len(hidden)]),
        ),
    }
    window = WordsReaderSettings().window
    print(
        f"{problems} problems a step, {ahead * problems} of them read, a window of {window} groups"
        f"; seconds of processor time, medians of {rounds}\n"
        f"{'':<8}{'fit':>9}{'read':>9}{'learn':>9}{'state':>9}{'MB':>9}{'together':>10}"
        f"{'% of ' + format(step, '.0f') + ' s':>12}"
    )
    for name, (make, view) in makers.items():
        taken = [
            time_reader(make(), view, problems, ahead * problems, window) for _ in range(rounds)
        ]
        middle = ReaderSeconds(*(float(np.median(column)) for column in zip(*taken, strict=True)))
        print(
            f"{name:<8}"
            + "".join(f"{value:>9.3f}" for value in middle)
            + f"{middle.total:>10.3f}{100 * middle.total / step:>12.2f}"
        )
    tokens = ahead * problems * float(np.mean([len(prompt) for prompt in prompts]))
    seconds = compute_forward_seconds(model.weights / 2, tokens)
    print(
        f"The policy's pass over {tokens:,.0f} tokens of prompts: {seconds:.2f} s on {GPUS} GPUs "
        f"at {USED:.0%} of their peak, {100 * seconds / step:.2f} % of generation"
    )
