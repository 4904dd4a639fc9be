"""The problems that the models are asked: made, and from two published sets."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from pathlib import Path

import pyarrow.parquet
from masa_control import Problem
from masa_openrlhf.config.sections import DataConfig
from masa_openrlhf.data.problems import load_problems

TASKS = (
    "reasoning_gym:chain_sum(min_terms=2,max_terms=5,min_digits=1,max_digits=2),gcd(max_value=100),"
    "letter_counting(max_words=8),leg_counting(min_animals=1,max_animals=4),"
    "products(max_digits=2),gsm_symbolic"
)
EASY_LEVELS = ("Level 1", "Level 2")


def collect_problems(
    gsm8k: Path, math: Path, *, made: int = 90, each: int = 40, seed: int = 0
) -> list[Problem]:
    """Return the mix: ``made`` of reasoning-gym, ``each`` of GSM8K and of easy MATH.

    Args:
        gsm8k: ``test.jsonl`` of GSM8K.
        math: MATH as parquet with a column ``level``.
        made: problems that reasoning-gym makes, of the six tasks of the preset smollm2-135m.
        each: problems of each published set, drawn without replacement.
        seed: of the draws.
    """
    rng = random.Random(seed)
    config = DataConfig(reasoning_gym={"held_out": made, "seed": seed})
    mixed = _name_source("reasoning-gym", load_problems(TASKS, config, held_out=True).problems)
    mixed += _draw(rng, _name_source("gsm8k", load_problems(str(gsm8k), config).problems), each)
    return mixed + _draw(rng, _name_source("math", _load_easy_problems(math)), each)


def write_problems(file: Path, problems: Iterable[Problem]) -> None:
    """Write the problems as JSON lines of id, problem and answer."""
    rows = ({"id": one.id, "problem": one.text, "answer": one.answer} for one in problems)
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _load_easy_problems(math: Path) -> list[Problem]:
    rows = pyarrow.parquet.read_table(math).to_pylist()
    texts = [row["reward_model"]["ground_truth"] for row in rows if row["level"] in EASY_LEVELS]
    return [
        Problem(id=str(i), text=one["question"], answer=one["target"])
        for i, one in enumerate(texts)
        if one["target"]
    ]


def _name_source(source: str, problems: Iterable[Problem]) -> list[Problem]:
    return [
        Problem(id=f"{source}/{i}", text=one.text, answer=one.answer)
        for i, one in enumerate(problems)
    ]


def _draw(rng: random.Random, problems: list[Problem], count: int) -> list[Problem]:
    return rng.sample(problems, count)
