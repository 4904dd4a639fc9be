"""A few episodes to read: what was asked, foreseen, decided and written, and what it earned."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from masa_openrlhf.report.formatting import format_count, format_number
from masa_openrlhf.report.groups import RunGroup, join_run_names
from masa_openrlhf.report.runs import RecordedRun
from masa_openrlhf.report.section import Section

_INTRO = (
    "Each is one problem in one step: the first from the beginning of training, the next from its "
    "end. The true pass rate is the share of right solutions."
)
_MAX_CHARACTERS = 1500
_MAX_PREDICTIONS = 4


@dataclass(frozen=True, slots=True)
class ExamplePrediction:
    """What one prediction said, and what it earned; as text.

    Attributes:
        pass_rate: predicted.
        length: predicted, tokens.
        notions: predicted.
        rewards: length, difficulty, notion and what was paid; dashes where nothing was.
    """

    pass_rate: str
    length: str
    notions: str
    rewards: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExampleSolution:
    """A solution.

    Attributes:
        verdict: as "correct".
        reward: as text.
        tokens: its length.
        cut: whether it was stopped before its end.
        text: shortened.
    """

    verdict: str
    reward: str
    tokens: int
    cut: bool
    text: str


@dataclass(frozen=True, slots=True)
class EpisodeExample:
    """An episode to read.

    Attributes:
        title: which step of which run.
        problem: its statement, shortened.
        answer: the gold answer.
        pass_rate: the true one; a dash where no solution could be judged.
        decided: the plan and why; empty where predictions decide nothing.
        predictions: some of them.
        of_predictions: how many there were, in words.
        solutions: a right and a wrong one, as far as there are.
        of_solutions: how many there were, in words.
    """

    title: str
    problem: str
    answer: str
    pass_rate: str
    decided: str
    predictions: tuple[ExamplePrediction, ...]
    of_predictions: str
    solutions: tuple[ExampleSolution, ...]
    of_solutions: str


def examples_section(groups: Sequence[RunGroup]) -> Section:
    """Return episodes of the first run of each group that kept some: early, late, and skipped."""
    found: list[EpisodeExample] = []
    missing = []
    for group in groups:
        made: list[EpisodeExample] = []
        for run in group.runs:
            made = _choose_examples(run, f"{group.name}, " if len(groups) > 1 else "")
            if made:
                break
        found += made
        if not made:
            missing.append(
                f"{group.name}: no episode was written out whole (log.episodes), or none can be "
                f"read, in {join_run_names(group.runs)}."
            )
    return Section("episodes", "Episodes to read", (_INTRO,), examples=found, missing=missing)


def _choose_examples(run: RecordedRun, whose: str) -> list[EpisodeExample]:
    files = sorted(run.path.glob("episodes/step-*.json"), key=_parse_step)
    early = next(
        (e for file in files[:5] if (e := _find_most_mixed(_read_episodes(file), file))), None
    )
    late = next(
        (e for file in files[:-6:-1] if (e := _find_most_mixed(_read_episodes(file), file))), None
    )
    skipped = next(
        (e for file in files[:-6:-1] if (e := _find_skipped(_read_episodes(file), file))), None
    )
    chosen = [("early", early), ("late", late), ("skipped by the gate", skipped)]
    seen: set[int] = set()
    made = []
    for when, pick in chosen:
        if pick is not None and id(pick[1]) not in seen and not (when == "late" and pick == early):
            seen.add(id(pick[1]))
            made.append(_make_example(pick[1], f"{whose}step {pick[0]}, {when}"))
    return made


def _parse_step(file: Path) -> int:
    digits = file.stem.removeprefix("step-")
    return int(digits) if digits.isdigit() else -1


def _read_episodes(file: Path) -> list[Mapping[str, Any]]:
    try:
        rows = json.loads(file.read_text("utf-8", errors="replace"))
    except (OSError, ValueError):
        return []
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _find_most_mixed(
    rows: Sequence[Mapping[str, Any]], file: Path
) -> tuple[int, Mapping[str, Any]] | None:
    """The episode that shows most: right and wrong solutions, as even as can be."""
    judged = [row for row in rows if isinstance(row.get("pass_rate"), (int, float))]
    if not judged:
        return None
    return _parse_step(file), min(judged, key=lambda row: abs(row["pass_rate"] - 0.5))


def _find_skipped(
    rows: Sequence[Mapping[str, Any]], file: Path
) -> tuple[int, Mapping[str, Any]] | None:
    none_made = [row for row in rows if row.get("decided") and not row.get("solutions")]
    return (_parse_step(file), none_made[0]) if none_made else None


def _make_example(row: Mapping[str, Any], title: str) -> EpisodeExample:
    predictions = [_make_prediction(one) for one in row.get("meta") or () if isinstance(one, dict)]
    solutions = [one for one in row.get("solutions") or () if isinstance(one, dict)]
    right = [one for one in solutions if one.get("reward") == 1.0]
    wrong = [one for one in solutions if one.get("reward") == 0.0]
    return EpisodeExample(
        title=title,
        problem=_shorten_text(row.get("problem", "")),
        answer=_shorten_text(row.get("answer", "")),
        pass_rate=format_number(row.get("pass_rate")),
        decided=str(row.get("decided") or ""),
        predictions=tuple(predictions[:_MAX_PREDICTIONS]),
        of_predictions=_format_shown(
            min(len(predictions), _MAX_PREDICTIONS), len(predictions), "prediction"
        ),
        solutions=tuple(_make_solution(one) for one in (*right[:1], *wrong[:1])),
        of_solutions=f"{len(right)} of {format_count(len(solutions), 'solution')} right",
    )


def _format_shown(shown: int, count: int, noun: str) -> str:
    return (
        format_count(count, noun) if shown == count else f"{shown} of {format_count(count, noun)}"
    )


def _make_prediction(one: Mapping[str, Any]) -> ExamplePrediction:
    said, reward = one.get("prediction") or {}, one.get("reward") or {}
    earned = [reward.get(part) for part in ("length", "difficulty", "notion")]
    notions = said.get("notions")
    # 0.1.0 called it "paid"; before that only the mean of the three was written.
    total = one.get("total_reward", one.get("paid", reward.get("total")))
    return ExamplePrediction(
        pass_rate=format_number(said.get("pass_rate")),
        length=format_number(said.get("length"), ",.0f"),
        notions=", ".join(map(str, notions)) if notions else "–",
        rewards=tuple(format_number(value) for value in (*earned, total)),
    )


def _make_solution(one: Mapping[str, Any]) -> ExampleSolution:
    return ExampleSolution(
        verdict=str((one.get("verdict") or {}).get("status", "unknown")),
        reward=format_number(one.get("reward"), ".0f"),
        tokens=int(one.get("tokens", 0)),
        cut=bool(one.get("cut")),
        text=_shorten_text(one.get("text", "")),
    )


def _shorten_text(text: object) -> str:
    whole = str(text)
    if len(whole) <= _MAX_CHARACTERS:
        return whole
    half = _MAX_CHARACTERS // 2
    return f"{whole[:half]}\n[… {len(whole) - 2 * half:,} characters …]\n{whole[-half:]}"
