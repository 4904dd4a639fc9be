"""What a scripted policy writes: solutions and predictions of the paper's sizes, and their tokens.

Prose is put together from solutions of the MATH training set, four characters a token (mathematics
has three to four: more text than there would be). Lengths are spread evenly within 30 % of their
mean. Token ids and log-probabilities are drawn once, and each completion has a stretch of them.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

from masa_benchmarks.paths import NOTION_NAMES
from masa_benchmarks.verification.data import make_near_miss

CHARACTERS_PER_TOKEN = 4
LENGTH_SPREAD = 0.3


class MathRow(NamedTuple):
    """A problem of the data, with a solution and its answer."""

    problem: str
    solution: str
    answer: str


class StepSize(NamedTuple):
    """A step: problems, rollouts of each kind a problem, tokens of each on average.

    The paper's: "meta tokens are 15.5 % of all, 2293 x 8 against 6251 x 16".
    """

    problems: int = 128
    solutions: int = 16
    predictions: int = 8
    solution_tokens: int = 6251
    prediction_tokens: int = 2293

    @property
    def tokens(self) -> int:
        """Tokens made in the step."""
        solutions = self.solutions * self.solution_tokens
        return self.problems * (solutions + self.predictions * self.prediction_tokens)


def read_rows(path: Path) -> list[MathRow]:
    """Read problems, solutions and answers of a MATH parquet; those with an answer."""
    import pyarrow.parquet as parquet

    truths = [
        row["reward_model"]["ground_truth"]
        for row in parquet.read_table(path, columns=["reward_model"]).to_pylist()
    ]
    rows = [MathRow(t["question"], t["solution"], t["target"]) for t in truths]
    return [row for row in rows if row.answer.strip()]


def make_tokenizer(rows: Sequence[MathRow]) -> Any:
    """Train a tokenizer on the texts, in about a second; the policy's own is on its hub."""
    from masa_openrlhf.tiny.tokenizer import CHAT_TEMPLATE, END, PAD, ROLES
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=8192,
        special_tokens=[PAD, END, *ROLES],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator((row.solution for row in rows[:3000]), trainer)
    made = PreTrainedTokenizerFast(tokenizer_object=core, pad_token=PAD, eos_token=END)
    made.chat_template = CHAT_TEMPLATE
    return made


class ScriptedWriter:
    """Writes what vLLM would hand over for each problem.

    Args:
        rows: what to write from, two at least.
        seed: of all that is drawn.
        positions: different tokens with log-probabilities; more than processor caches hold.
    """

    def __init__(self, rows: Sequence[MathRow], seed: int = 0, positions: int = 400_000) -> None:
        from vllm.logprobs import Logprob

        self._rows, self._draw = rows, random.Random(seed)
        self._names = NOTION_NAMES.read_text(encoding="utf-8").splitlines()
        ids = [self._draw.randrange(256, 151_000) for _ in range(positions)]
        self._ids = ids
        # As vLLM gives them: the sampled token, and the likeliest where that is another.
        self._logprobs: list[dict[int, Any]] = [
            {i: Logprob(-self._draw.random(), 1, None)}
            if self._draw.random() < 0.8
            else {i: Logprob(-3 * self._draw.random(), 2, None), i + 1: Logprob(-0.1, 1, None)}
            for i in ids
        ]

    def solutions(self, row: MathRow, size: StepSize) -> Any:
        """G solutions of a problem; how many of them are right is drawn."""
        rate = self._draw.random()
        texts = []
        for _ in range(size.solutions):
            right = self._draw.random() < rate
            stated = row.answer if right else self._wrong(row)
            length = self._length(size.solution_tokens)
            end = f"\n\nSo the answer is $\\boxed{{{stated}}}$."
            texts.append((self._prose(length * CHARACTERS_PER_TOKEN) + end, length))
        return self._output(texts)

    def predictions(self, size: StepSize) -> Any:
        """M predictions, each of six notions; their pass rates differ, so that no gate skips."""
        pool = self._draw.sample(self._names, 24)
        texts = []
        for number in range(size.predictions):
            stated = {
                "math_notion": self._draw.sample(pool, 6),
                "pass_rate": (number * 3) % 9,
                "solution_length": min(8192, self._length(size.solution_tokens)),
            }
            length = self._length(size.prediction_tokens)
            prose = self._prose(length * CHARACTERS_PER_TOKEN)
            texts.append((f"<meta>{prose}</meta>\n{json.dumps(stated)}", length))
        return self._output(texts)

    def _wrong(self, row: MathRow) -> str:
        """A near miss, or the answer of another problem, as often."""
        near = self._draw.random() < 0.5
        return (
            make_near_miss(row.answer, self._draw) if near else self._draw.choice(self._rows).answer
        )

    def _length(self, mean: int) -> int:
        return round(mean * self._draw.uniform(1 - LENGTH_SPREAD, 1 + LENGTH_SPREAD))

    def _prose(self, characters: int) -> str:
        parts: list[str] = []
        while characters > 0:
            parts.append(self._draw.choice(self._rows).solution)
            characters -= len(parts[-1]) + 2
        return "\n\n".join(parts)[: characters or None]

    def _output(self, texts: Sequence[tuple[str, int]]) -> Any:
        """As vLLM's RequestOutput, as far as it is read."""
        outputs = []
        for index, (text, length) in enumerate(texts):
            start = self._draw.randrange(len(self._ids) - length)
            outputs.append(
                SimpleNamespace(
                    index=index,
                    text=text,
                    token_ids=self._ids[start : start + length],
                    logprobs=self._logprobs[start : start + length],
                    finish_reason="stop",
                )
            )
        return SimpleNamespace(outputs=outputs)
