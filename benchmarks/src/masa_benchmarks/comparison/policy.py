"""The policy of the comparison: a Qwen3 of a quarter of a million parameters, warmed up.

Made once and kept in a folder named by a digest of what it is made by: every run starts from the
same weights, trains on the same problems and is measured by the same others.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from masa_openrlhf.tiny.assets import fill_once
from masa_openrlhf.tiny.warmup import (
    Demonstration,
    WarmUpSettings,
    encode_demonstrations,
    fit_model,
)

from masa_benchmarks.comparison.demonstrations import (
    META_TEMPLATE,
    SOLUTION_TEMPLATE,
    meta_demo,
    solution_demo,
)
from masa_benchmarks.comparison.task import Problem, make_problems

TRAIN_PROBLEMS = 6000
HELD_OUT = 160
META_SHARE = 0.15
SETTINGS = WarmUpSettings(careful_steps=0, mixed_steps=400)


class Assets(NamedTuple):
    """What a run is pointed at.

    Attributes:
        model: a Hugging Face folder.
        train: JSONL of the problems to train on.
        held_out: JSONL of those to be measured by; they are in neither the warm-up nor `train`.
    """

    model: Path
    train: Path
    held_out: Path


def _digest() -> str:
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        if file.stem in ("task", "demonstrations", "tokenizer", "policy"):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _batches(
    seed: int, exclude: Collection[str], tokenizer: object
) -> Iterator[list[Demonstration]]:
    rng = random.Random(f"warm-up {seed}")
    while True:
        problems = make_problems(SETTINGS.batch, rng.getrandbits(32), exclude=exclude)
        yield encode_demonstrations(tokenizer, [_demonstration(p, rng) for p in problems])  # type: ignore[arg-type]


def _demonstration(problem: Problem, rng: random.Random) -> tuple[str, str]:
    if rng.random() < META_SHARE:
        return META_TEMPLATE.format(problem=problem.problem), meta_demo(rng)
    return SOLUTION_TEMPLATE.format(problem=problem.problem), solution_demo(problem, rng)


def _write(file: Path, problems: list[Problem]) -> None:
    rows = ({"problem": p.problem, "answer": p.answer, "id": p.id} for p in problems)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _make(folder: Path, seed: int, say: Callable[[str], None]) -> None:
    import itertools

    import torch
    from masa_openrlhf.tiny.model import make_model

    from masa_benchmarks.comparison.tokenizer import make_tokenizer

    held = make_problems(HELD_OUT, 2 * seed + 1)
    exclude = {problem.problem for problem in held}
    _write(folder / "held_out.jsonl", held)
    _write(folder / "train.jsonl", make_problems(TRAIN_PROBLEMS, 2 * seed, exclude=exclude))
    tokenizer = make_tokenizer()
    model = make_model(tokenizer, seed)
    batches = itertools.islice(_batches(seed, exclude, tokenizer), SETTINGS.steps)
    losses = fit_model(model, tokenizer.pad_token_id, batches, settings=SETTINGS)
    say(f"seed {seed}: warmed up, loss of a token {losses[-1]:.3f}")
    model.to(torch.bfloat16).save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")


def assets(home: Path, seed: int, say: Callable[[str], None] = print) -> Assets:
    """Make a policy and its problems, or find them.

    Args:
        home: where it is kept.
        seed: of the weights, the warm-up and the problems.
        say: told what is done.
    """
    folder = fill_once(home / f"policy-{_digest()}-{seed}", lambda made: _make(made, seed, say))
    return Assets(folder / "model", folder / "train.jsonl", folder / "held_out.jsonl")
