"""How fast are notions counted? Ours beside the straightforward nested loops, on the same inputs.

A step of the paper's size: 128 groups of 16 solutions of 8,192 tokens (about 24 kB, put together
from solutions of the MATH training set), judged by 16 predictions of 8 notions each, as models
name them (notion_names.txt). The nested loops test `notion in text` for every prediction, notion
and solution, in lower case and without lemmas. Predictions of one problem come from one policy and
share notions: how many different ones a group has is varied, up to all different.

    python -m masa_benchmarks.notions
"""

from __future__ import annotations

import argparse
import random
import re
import statistics
import time
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from masa_rewards import MetaPrediction, Rollout, RolloutGroup
from masa_rewards.notions.phrases import find_phrases, to_phrase
from masa_rewards.notions.reward import notion_rewards

from masa_benchmarks.paths import MATH, NOTION_NAMES


class NotionStepSize(NamedTuple):
    """A step's worth of groups; `different` notions a group, from which predictions draw."""

    groups: int = 128
    solutions: int = 16
    characters: int = 24_000
    predictions: int = 16
    notions: int = 8
    different: int = 40


class NotionCase(NamedTuple):
    """A group, the same texts in lower case for the loops, and its predictions."""

    group: RolloutGroup
    lowered: list[str]
    predictions: list[MetaPrediction]


def read_solutions(path: Path) -> list[str]:
    import pyarrow.parquet as parquet

    rows = parquet.read_table(path, columns=["reward_model"]).to_pylist()
    return [row["reward_model"]["ground_truth"]["solution"] for row in rows]


def make_text(solutions: list[str], characters: int, draw: random.Random) -> str:
    parts: list[str] = []
    while sum(map(len, parts)) < characters:
        parts.append(draw.choice(solutions))
    return "\n\n".join(parts)[:characters]


def make_cases(solutions: list[str], size: NotionStepSize, seed: int = 0) -> list[NotionCase]:
    draw = random.Random(seed)
    names = NOTION_NAMES.read_text(encoding="utf-8").lower().splitlines()
    cases: list[NotionCase] = []
    for _ in range(size.groups):
        texts = [make_text(solutions, size.characters, draw) for _ in range(size.solutions)]
        pool = draw.sample(names, size.different)
        # All different: dealt out. Else each prediction draws its own from the pool.
        dealt = size.different >= size.predictions * size.notions
        notions = [
            pool[index * size.notions : (index + 1) * size.notions]
            if dealt
            else draw.sample(pool, size.notions)
            for index in range(size.predictions)
        ]
        rollouts = tuple(
            Rollout(text=text, length=8192, correct=index % 3 > 0)
            for index, text in enumerate(texts)
        )
        cases.append(
            NotionCase(
                RolloutGroup(problem=draw.choice(solutions)[:300], rollouts=rollouts),
                [text.lower() for text in texts],
                [MetaPrediction(notions=tuple(some)) for some in notions],
            )
        )
    return cases


def nested_loops(cases: list[NotionCase]) -> None:
    for case in cases:
        correct = [rollout.correct for rollout in case.group.rollouts]
        problem = case.group.problem.lower()
        for prediction in case.predictions:
            paid = left = 0
            for notion in prediction.notions or ():
                if notion in problem:
                    continue
                left += 1
                balance = 0
                for text, is_correct in zip(case.lowered, correct, strict=True):
                    if notion in text:
                        balance += 1 if is_correct else -1
                paid += balance > 0
            _ = paid / left if left else 0.0


def loop_over_distinct(cases: list[NotionCase]) -> None:
    """The same loops over the different notions of a group: what sharing alone saves."""
    for case in cases:
        for notion in {n for p in case.predictions for n in p.notions or ()}:
            for text in case.lowered:
                _ = notion in text


def score_cases(cases: list[NotionCase]) -> None:
    to_phrase.cache_clear()
    for case in cases:
        notion_rewards(case.predictions, case.group)


def encode_texts(cases: list[NotionCase]) -> None:
    """Read every byte once, and do nothing with it."""
    for case in cases:
        for rollout in case.group.rollouts:
            rollout.text.encode()


METHODS: list[Callable[[list[NotionCase]], None]] = [
    nested_loops,
    loop_over_distinct,
    score_cases,
    encode_texts,
]


def time_methods(cases: list[NotionCase], rounds: int) -> list[list[float]]:
    """Seconds of each way, side by side, round by round; one more round before warms up."""
    taken: list[list[float]] = []
    for _ in range(rounds + 1):
        row = []
        for way in METHODS:
            start = time.process_time()
            way(cases)
            row.append(time.process_time() - start)
        taken.append(row)
    return taken[1:]


def print_timings(name: str, cases: list[NotionCase], rounds: int) -> None:
    taken = time_methods(cases, rounds)
    loops, once, own, least = (statistics.median(column) for column in zip(*taken, strict=True))
    ratios = sorted(row[0] / row[2] for row in taken)
    size = sum(len(r.text.encode()) for case in cases for r in case.group.rollouts)
    print(
        f"{name:<34}{size / 1e6:6.1f} {loops:8.3f} {once:8.3f} {own:8.3f}"
        f"{statistics.median(ratios):7.1f} ({ratios[0]:.1f}-{ratios[-1]:.1f})"
        f"{size / own / 1e6:7.0f}{own / least:7.0f}"
    )


def vary_characters(solutions: list[str]) -> dict[str, list[str]]:
    """The solutions with characters that are not ASCII, as models write them."""
    signs = {
        "\\sqrt": "\u221a",
        "\\le": "\u2264",
        "\\cdot": "\u00b7",
        " - ": " \u2013 ",
        "'": "\u2019",
    }
    signed = []
    for solution in solutions:
        for ascii_form, sign in signs.items():
            solution = solution.replace(ascii_form, sign)
        signed.append(solution)
    chinese = [
        re.sub(r"(?<![\\A-Za-z])[A-Za-z]{2,}[ ,.]*", _replace_word, solution)
        for solution in solutions
    ]
    return {"typographic signs": signed, "Chinese between formulas": chinese}


def _replace_word(word: re.Match[str]) -> str:
    """Two characters for a word, always the same: as frequent as words are."""
    number = zlib.crc32(word.group().strip(" ,.").lower().encode())
    return chr(0x4E00 + number % 3_000) + chr(0x4E00 + number // 3_000 % 3_000)


def print_comparison(solutions: list[str], small: int, rounds: int, groups: int) -> None:
    head = f"{'':<34}{'MB':>6} {'loops s':>8} {'once s':>8} {'ours s':>8}   loops/ours  {'MB/s':>7}"
    print(f"{head}{'floors':>7}")
    for different in (16, 40, 128):
        cases = make_cases(solutions, NotionStepSize(groups=groups, different=different))
        print_timings(f"{groups} groups, {different} different notions", cases, rounds)
    print(f"How it grows, from {small} groups of 40 different notions:")
    for groups_ in (small, 2 * small):
        print_timings(
            f"  {groups_} groups", make_cases(solutions, NotionStepSize(groups=groups_)), rounds
        )
    for characters in (6_000, 24_000, 96_000):
        cases = make_cases(solutions, NotionStepSize(groups=small, characters=characters))
        print_timings(f"  {characters:,} characters a solution", cases, rounds)
    for different in (8, 32, 128):
        cases = make_cases(solutions, NotionStepSize(groups=small, different=different))
        print_timings(f"  {different} different notions a group", cases, rounds)
    for name, texts in vary_characters(solutions).items():
        print_timings(f"  {name}", make_cases(texts, NotionStepSize(groups=small)), rounds)


def print_agreement(cases: list[NotionCase]) -> None:
    """On how many (notion, text) pairs the loops and we differ, with examples."""
    both = only_loops = only_ours = 0
    examples: dict[str, set[str]] = {"only the loops": set(), "only ours": set()}
    for case in cases:
        notions = {n for p in case.predictions for n in p.notions or ()}
        for rollout, lowered in zip(case.group.rollouts, case.lowered, strict=True):
            found = find_phrases(rollout.text, {to_phrase(notion) for notion in notions})
            for notion in notions:
                loops, mine = notion in lowered, to_phrase(notion) in found
                both += loops and mine
                only_loops += loops and not mine
                only_ours += mine and not loops
                if loops != mine:
                    examples["only the loops" if loops else "only ours"].add(notion)
    print(f"\nFound by both {both}, only by the loops {only_loops}, only by us {only_ours}; as")
    for who, notions in examples.items():
        print(f"  {who}: {', '.join(sorted(notions)[:8])}")


def print_memory(cases: list[NotionCase]) -> None:
    """The most that Python holds while it reads, beside the texts; the automaton is Rust's."""
    score_cases(cases)  # loads the dictionary of lemmas, once a process
    tracemalloc.start()
    score_cases(cases)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    size = max(sum(len(r.text) for r in case.group.rollouts) for case in cases)
    print(f"Memory while a group of {size / 1e3:.0f} kB is read: at most {peak / 1e3:.0f} kB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=MATH, help="parquet with the MATH problems")
    parser.add_argument("--groups", type=int, default=128, help="groups of the first table")
    parser.add_argument("--small", type=int, default=16, help="groups of the second table")
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()

    solutions = read_solutions(args.data)
    print("loops: the nested loops; once: they, each different notion once; floors: ours / reading")
    print(
        f"every byte once. Medians of {args.rounds} rounds, all ways in each; (least-most) ratio.\n"
    )
    print_comparison(solutions, args.small, args.rounds, args.groups)
    print_agreement(make_cases(solutions, NotionStepSize(groups=4)))
    print_memory(make_cases(solutions, NotionStepSize(groups=4)))


if __name__ == "__main__":
    main()
