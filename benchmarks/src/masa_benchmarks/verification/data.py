"""Pairs of a solution and a target: right ones, wrong ones, hostile ones."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import NamedTuple

from masa_benchmarks.paths import HOSTILE
from masa_benchmarks.verification.value import SameValue, compare_targets

_NUMBER = re.compile(r"(?<![\d_^{])\d+(?![\d}])|(?<=\{)\d+(?=\})")


class TargetPair(NamedTuple):
    """A solution and a target."""

    solution: str
    target: str


class WrongPairs(NamedTuple):
    """Pairs that differ in value, and what was drawn beside them and left out."""

    pairs: list[TargetPair]
    near: int
    same: int
    undecided: int


def read_right_pairs(path: Path, rows: int | None = None) -> list[TargetPair]:
    """Read the solutions of a MATH parquet with their own targets, those that have one."""
    import pyarrow.parquet as parquet

    table = parquet.read_table(path, columns=["reward_model"]).to_pylist()[:rows]
    truths = [row["reward_model"]["ground_truth"] for row in table]
    pairs = [TargetPair(truth["solution"], truth["target"]) for truth in truths]
    kept = [pair for pair in pairs if pair.target.strip()]
    print(f"{len(pairs)} problems, {len(pairs) - len(kept)} of them without a target: left out")
    return kept


def draw_wrong_pairs(right: list[TargetPair], count: int, seed: int) -> WrongPairs:
    """Draw pairs that differ in value: half with targets of other problems, half near misses.

    A near miss is the target with one number changed by one or negated, one sign flipped, two
    numbers swapped or one bracket changed.
    """
    draw = random.Random(seed)
    near = [0, 0]
    pairs: list[TargetPair] = []
    left_out = {SameValue.YES: 0, SameValue.UNDECIDED: 0}
    while len(pairs) < count:
        one = draw.choice(right)
        is_near = len(pairs) % 2
        target = make_near_miss(one.target, draw) if is_near else draw.choice(right).target
        verdict = compare_targets(one.target, target)
        if verdict is SameValue.NO:
            pairs.append(TargetPair(one.solution, target))
            near[is_near] += 1
        else:
            left_out[verdict] += 1
    return WrongPairs(pairs, near[1], left_out[SameValue.YES], left_out[SameValue.UNDECIDED])


def make_near_miss(target: str, draw: random.Random) -> str:
    """Change one thing in a target; the value may be the same after that."""
    return draw.choice((_shift_number, _negate_target, _flip_sign, _swap_numbers, _change_bracket))(
        target, draw
    )


def _shift_number(target: str, draw: random.Random) -> str:
    return _replace_number(target, draw, lambda number: str(int(number) + draw.choice((-1, 1))))


def _negate_target(target: str, _: random.Random) -> str:
    return target[1:] if target.startswith("-") else f"-{target}"


def _flip_sign(target: str, draw: random.Random) -> str:
    signs = [place for place, mark in enumerate(target) if mark in "+-"]
    if not signs:
        return _shift_number(target, draw)
    place = draw.choice(signs)
    return target[:place] + ("+" if target[place] == "-" else "-") + target[place + 1 :]


def _swap_numbers(target: str, draw: random.Random) -> str:
    numbers = list(_NUMBER.finditer(target))
    if len(numbers) < 2:
        return _shift_number(target, draw)
    one, other = sorted(draw.sample(numbers, 2), key=lambda match: match.start())
    return (
        target[: one.start()]
        + other.group()
        + target[one.end() : other.start()]
        + one.group()
        + target[other.end() :]
    )


def _change_bracket(target: str, draw: random.Random) -> str:
    changed = target.translate(str.maketrans("([])", "[()]"))
    return changed if changed != target else _shift_number(target, draw)


def _replace_number(target: str, draw: random.Random, change) -> str:
    numbers = list(_NUMBER.finditer(target))
    if not numbers:
        return target
    one = draw.choice(numbers)
    return target[: one.start()] + change(one.group()) + target[one.end() :]


def read_hostile_pairs(count: int | None = None) -> list[TargetPair]:
    """Read the hostile corpus, or so many of its cases, spread over the whole."""
    cases = json.loads(HOSTILE.read_text(encoding="utf-8"))
    pairs = [
        TargetPair(
            case.get("text") or case["head"] + case["piece"] * case["times"] + case["tail"],
            case["gold"],
        )
        for case in cases
    ]
    count = len(pairs) if count is None else min(count, len(pairs))
    return [pairs[place * len(pairs) // count] for place in range(count)]
