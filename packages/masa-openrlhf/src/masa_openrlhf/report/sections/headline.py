"""What changed, in a few figures; and what was trained."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from masa_rewards.statistics import mean_known

from masa_openrlhf.display.run_display import format_duration
from masa_openrlhf.display.summary import sum_tokens_saved
from masa_openrlhf.report.formatting import (
    format_amount,
    format_count,
    format_number,
    format_percent,
    format_points,
    format_title,
    join_words,
)
from masa_openrlhf.report.groups import RunGroup, join_run_names, list_differences
from masa_openrlhf.report.runs import RecordedRun, Row, cumulative_cost
from masa_openrlhf.report.section import Section, Table
from masa_openrlhf.report.sections import accuracy
from masa_openrlhf.report.sections.tokens import total_tokens

_MODES = {
    "grpo": "The model learns from its right and wrong solutions alone (GRPO, the baseline).",
    "masa": (
        "Beside its solutions the model also learns to predict them: before it solves a problem it "
        "says how many of its solutions will be right, how long they will be and which ideas they "
        "will use. A prediction is rewarded for being true (MASA)."
    ),
    "masa-efficient": (
        "The model learns to solve problems, and to predict how that will go: how many of its "
        "solutions will be right, how long they will be, which ideas they will use. Predictions "
        "also decide: problems that would teach nothing are skipped, solutions that run on are "
        "stopped, the best predictions are repeated with true numbers (MASA-efficient)."
    ),
}
_AWARENESS_HEADS = ("pass rate foreseen", "length foreseen", "meta reward")
_BEFORE_AFTER = (
    "Before → after, means over runs. Foreseen: correlation of predicted and true, over the "
    "problems of a run; 1 is perfect, 0 is no better than chance; where it is not defined (all "
    "problems alike) a run is left out, and the number of the others stands behind. "
    "Meta reward: what predictions earned, from 0 to 1."
)
_FIFTH = 5


def headline_section(groups: Sequence[RunGroup]) -> Section:
    """Return what was trained and what changed, a row a group."""
    says = [
        _MODES[mode] for mode in dict.fromkeys(group.mode for group in groups) if mode in _MODES
    ]
    if len(groups) > 1:
        says = [f"Compared are {join_words([g.name for g in groups])}.", *says]
    predict = any(group.predicts for group in groups)
    decide = any(group.decides for group in groups)
    rows = [
        [group.name, _format_accuracy(group), *(_format_awareness(group) if predict else [])]
        for group in groups
    ]
    alone = len(groups) == 1
    heads = ["", "runs", "steps", "tokens made", *(["saved"] if decide else [])]
    heads += ["time in steps"] if alone else []
    tables = [
        Table(["", "pass@1, held out", *(_AWARENESS_HEADS if predict else [])], rows),
        Table(
            heads,
            [[group.name, *_format_costs(group, saved=decide, timed=alone)] for group in groups],
        ),
    ]
    differs = list_differences(groups)
    if differs:
        tables.append(
            Table(
                ["setting", *(g.name for g in groups)],
                [[name, *values] for name, values in differs],
                "Settings that differ beside the mode: what differs above may be due to them too.",
            )
        )
    said = _BEFORE_AFTER if predict else "Before → after."
    return Section(
        "change", "What changed", [*says, said], tables=tables, missing=_list_missing(groups)
    )


def lead_sentences(groups: Sequence[RunGroup]) -> list[str]:
    """Return the sentences that stand first, one a group, at most three."""
    found = []
    for group in groups[:3]:
        first, last, runs = accuracy.compute_accuracy_change(group)
        whose = group.name if len(groups) > 1 else ""
        if first is None or last is None:
            said = "no change of accuracy can be told: there are too few evaluations."
            found.append(format_title(whose, said))
            continue
        of = "" if runs == 1 else f", mean of {runs} runs"
        said = (
            f"right solutions on held-out problems {format_percent(first)} → "
            f"{format_percent(last)} ({format_points(last - first)}{of})."
        )
        found.append(format_title(whose, said))
    if len(groups) > 3:
        found.append(f"And {format_count(len(groups) - 3, 'group')} more, below.")
    return found


def _format_accuracy(group: RunGroup) -> str:
    first, last, _ = accuracy.compute_accuracy_change(group)
    return f"{format_percent(first)} → {format_percent(last)}"


def _format_awareness(group: RunGroup) -> list[str]:
    cells = []
    for key, form in (
        ("meta/pass_rate_correlation", "+.2f"),
        ("meta/length_correlation", "+.2f"),
        ("meta/reward", ".2f"),
    ):
        pairs = [_first_and_last(run, key) for run in group.runs]
        both = [[v for v in side if v is not None] for side in zip(*pairs, strict=True)]
        means = [mean_known(side) for side in both]
        defined = min(map(len, both))
        cell = " → ".join(format_number(mean, form) for mean in means) if any(both) else "–"
        runs = len(group.runs)
        cells.append(f"{cell} ({defined} of {runs} runs)" if defined not in (0, runs) else cell)
    return cells


def _first_and_last(run: RecordedRun, key: str) -> tuple[float | None, float | None]:
    """First and last evaluation; where there are no two, first and last fifth of the steps.

    A value that an evaluation leaves undefined (a correlation of what does not vary) stays so: it
    is not taken from the training problems instead.
    """
    if len(run.evals) > 1:
        first, last = (run.evals[place].get(key) for place in (0, -1))
        return (None, None) if first is None or last is None else (float(first), float(last))
    size = max(1, len(run.metrics) // _FIFTH)
    return _mean_metric(run.metrics[:size], key), _mean_metric(run.metrics[-size:], key)


def _mean_metric(rows: Sequence[Row], key: str) -> float | None:
    return mean_known(row.get(key) for row in rows)


def _format_costs(group: RunGroup, *, saved: bool, timed: bool) -> list[str]:
    taken = [run for run in group.runs if run.metrics]
    steps = sorted({run.steps for run in taken})
    seconds = [cumulative_cost(run.metrics)[1][-1] for run in taken]
    spared = [s for run in taken if (s := sum_tokens_saved(dict(run.metrics[-1]))) is not None]
    return [
        str(len(group.runs)),
        " to ".join(f"{n:,}" for n in dict.fromkeys((steps[0], steps[-1]))) if steps else "0",
        format_amount(mean_known(map(total_tokens, taken))),
        *([format_amount(mean_known(spared))] if saved else []),
        *([format_duration(statistics.fmean(seconds)) if seconds else "–"] if timed else []),
    ]


def _list_missing(groups: Sequence[RunGroup]) -> list[str]:
    runs = [run for group in groups for run in group.runs]
    states: dict[str, list[RecordedRun]] = {}
    for run in runs:
        if not run.finished:
            states.setdefault(run.state, []).append(run)
    found = []
    for state, members in states.items():
        far = ", ".join(f"{run.steps} of {run.planned or '?'} steps" for run in members[:4])
        found.append(f"{join_run_names(members)}: {state} ({far}). The figures go as far as that.")
    for run in runs:
        for file, lost in run.unreadable.items():
            found.append(f"{run.name}: {format_count(lost, 'line')} of {file} cannot be read.")
    for group in groups:
        seeds = [run.seed for run in group.runs]
        twice = [run for run in group.runs if seeds.count(run.seed) > 1]
        if twice:
            found.append(
                f"{join_run_names(twice)} have a seed in common: they are less independent than "
                "they count."
            )
    single = [group.name for group in groups if len(group.runs) == 1]
    if len(runs) == 1:
        found.append("This is one run: with another seed it would come out differently.")
    elif single:
        found.append(
            f"Of {join_words(single)} there is one run{' each' if len(single) > 1 else ''}: "
            "another seed would come out differently, so a difference to it may be chance."
        )
    return found
