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

from masa_openrlhf.cache import fill_once
from masa_openrlhf.tiny.warmup import (
    Demonstration,
    WarmUpSettings,
    encode_demonstrations,
    fit_model,
)

from masa_benchmarks.comparison.demonstrations import (
    META_TEMPLATE,
    SOLUTION_TEMPLATE,
    write_meta_demo,
    write_solution_demo,
)
from masa_benchmarks.comparison.task import SumProblem, make_problems

TRAIN_PROBLEMS = 6000
HELD_OUT = 160
META_SHARE = 0.15
WARM_UP_SETTINGS = WarmUpSettings(careful_steps=0, mixed_steps=400)


class ComparisonAssets(NamedTuple):
    """What a run is pointed at.

    Attributes:
        model: a Hugging Face folder.
        train: JSONL of the problems to train on.
        held_out: JSONL of those to be measured by; they are in neither the warm-up nor `train`.
    """

    model: Path
    train: Path
    held_out: Path


def _hash_sources() -> str:
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        if file.stem in ("task", "demonstrations", "tokenizer", "policy"):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _generate_batches(
    seed: int, exclude: Collection[str], tokenizer: object
) -> Iterator[list[Demonstration]]:
    rng = random.Random(f"warm-up {seed}")
    while True:
        problems = make_problems(WARM_UP_SETTINGS.batch, rng.getrandbits(32), exclude=exclude)
        yield encode_demonstrations(tokenizer, [_draw_demonstration(p, rng) for p in problems])  # type: ignore[arg-type]


def _draw_demonstration(problem: SumProblem, rng: random.Random) -> tuple[str, str]:
    if rng.random() < META_SHARE:
        return META_TEMPLATE.format(problem=problem.problem), write_meta_demo(rng)
    return SOLUTION_TEMPLATE.format(problem=problem.problem), write_solution_demo(problem, rng)


def _write_problems(file: Path, problems: list[SumProblem]) -> None:
    rows = ({"problem": p.problem, "answer": p.answer, "id": p.id} for p in problems)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _make_assets(folder: Path, seed: int, say: Callable[[str], None]) -> None:
    import itertools

    import torch
    from masa_openrlhf.tiny.model import make_model

    from masa_benchmarks.comparison.tokenizer import make_tokenizer

    held = make_problems(HELD_OUT, 2 * seed + 1)
    exclude = {problem.problem for problem in held}
    _write_problems(folder / "held_out.jsonl", held)
    _write_problems(
        folder / "train.jsonl", make_problems(TRAIN_PROBLEMS, 2 * seed, exclude=exclude)
    )
    tokenizer = make_tokenizer()
    model = make_model(tokenizer, seed)
    batches = itertools.islice(_generate_batches(seed, exclude, tokenizer), WARM_UP_SETTINGS.steps)
    losses = fit_model(model, tokenizer.pad_token_id, batches, settings=WARM_UP_SETTINGS)
    say(f"seed {seed}: warmed up, loss of a token {losses[-1]:.3f}")
    model.to(torch.bfloat16).save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")


def prepare_policy(home: Path, seed: int, say: Callable[[str], None] = print) -> ComparisonAssets:
    """Make a policy and its problems, or find them.

    Args:
        home: where it is kept.
        seed: of the weights, the warm-up and the problems.
        say: told what is done.
    """
    folder = fill_once(
        home / f"policy-{_hash_sources()}-{seed}", lambda made: _make_assets(made, seed, say)
    )
    return ComparisonAssets(folder / "model", folder / "train.jsonl", folder / "held_out.jsonl")
