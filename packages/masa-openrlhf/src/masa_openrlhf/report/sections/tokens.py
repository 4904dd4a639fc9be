"""Tokens by kind: made, and not made."""

from __future__ import annotations

import functools
import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from masa_openrlhf.report.formatting import format_amount
from masa_openrlhf.report.groups import RunGroup
from masa_openrlhf.report.plots import COLOURS, FAINT, INK
from masa_openrlhf.report.runs import RecordedRun, cumulative_cost
from masa_openrlhf.report.section import Plot, Section, Table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INTRO = "What the model wrote in training: its solutions, and what it predicted of them."
_SAVED_INTRO = (
    "What the gate saved are solutions of skipped problems, what the cutoff saved the rest of "
    "solutions that were stopped; both are estimated from audits, a share of problems that went on "
    "all the same. Expert predictions are cloned, that is trained on once more; nothing is written "
    "for that."
)
_SEVERAL = "Means over the runs of a group."


class TokenKind(NamedTuple):
    """A kind of tokens.

    Attributes:
        key: in the ledger.
        name: in words.
        made: whether they were written.
    """

    key: str
    name: str
    made: bool


TOKEN_KINDS = (
    TokenKind("solution_tokens", "solutions", True),
    TokenKind("meta_tokens", "predictions", True),
    TokenKind("gate_tokens_saved", "saved by the gate", False),
    TokenKind("cutoff_tokens_saved", "saved by the cutoff", False),
    TokenKind("waves_tokens_saved", "saved by waves", False),
    TokenKind("cloned_tokens", "experts, cloned", False),
)


def tokens_section(groups: Sequence[RunGroup]) -> Section:
    """Return tokens by kind as stacked bars and as a table."""
    found = {group.name: _mean_tokens(group.runs) for group in groups}
    known = {name: kinds for name, kinds in found.items() if kinds}
    missing = [f"{group.name}: no step was taken yet." for group in groups if not found[group.name]]
    if not known:
        return Section("tokens", "Tokens", (_INTRO,), missing=missing)
    bars = [
        kind for kind in TOKEN_KINDS[:-1] if any(kinds.get(kind.key) for kinds in known.values())
    ]
    picture = Plot(
        key="tokens",
        title="Tokens by kind",
        draw=functools.partial(_draw_bars, found=known, kinds=bars),
        legend=len(bars),
        height=1.0 + 0.5 * len(known),
    )
    shown = [kind for kind in TOKEN_KINDS if any(kind.key in kinds for kinds in known.values())]
    rows = [
        [name, *(format_amount(kinds.get(kind.key)) for kind in shown)]
        for name, kinds in known.items()
    ]
    table = Table(["tokens", *(kind.name for kind in shown)], rows)
    decide = any(group.decides for group in groups)
    several = any(len(group.runs) > 1 for group in groups)
    return Section(
        key="tokens",
        title="Tokens",
        says=[_INTRO, *([_SAVED_INTRO] if decide else []), *([_SEVERAL] if several else [])],
        pictures=(picture,),
        tables=(table,),
        missing=missing,
    )


def total_tokens(run: RecordedRun) -> float:
    """Return all tokens that a run made."""
    tokens, _ = cumulative_cost(run.metrics)
    return tokens[-1] if tokens else 0.0


def _mean_tokens(runs: Sequence[RecordedRun]) -> dict[str, float]:
    """Mean over the runs that know a kind, by its key."""
    last = [run.metrics[-1] for run in runs if run.metrics]
    found = {}
    for kind in TOKEN_KINDS:
        values = [float(row[f"ledger/{kind.key}"]) for row in last if f"ledger/{kind.key}" in row]
        if values:
            found[kind.key] = statistics.fmean(values)
    return found


def _draw_bars(axes: Axes, found: dict[str, dict[str, float]], kinds: Sequence[TokenKind]) -> None:
    names = list(found)
    most = max(
        sum(kinds.get(kind.key, 0.0) for kind in TOKEN_KINDS[:-1]) for kinds in found.values()
    )
    scale, unit = next(
        ((s, u) for s, u in ((1e9, "billions"), (1e6, "millions"), (1e3, "thousands")) if most > s),
        (1.0, ""),
    )
    left = [0.0] * len(names)
    for place, kind in enumerate(kinds):
        values = [found[name].get(kind.key, 0.0) / scale for name in names]
        colour = COLOURS[place % len(COLOURS)]
        look: dict[str, Any] = {"color": colour}
        if not kind.made:
            look = {"color": FAINT, "hatch": "///", "edgecolor": colour}
        axes.barh(names, values, left=left, label=kind.name, height=0.6, linewidth=0.8, **look)
        left = [a + b for a, b in zip(left, values, strict=True)]
    axes.set_ylim(len(names) - 0.5, -0.45 if len(names) == 1 else -0.8)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(f"tokens{', ' + unit if unit else ''}")
    axes.tick_params(axis="y", length=0)
    axes.set_yticks(range(len(names)), [""] * len(names))
    for place, name in enumerate(names):  # above its bar: names of groups may be long
        axes.annotate(
            name if len(names) > 1 else "",
            (0, place - 0.33),
            xytext=(2, 0),
            textcoords="offset points",
            va="bottom",
            fontsize=8.5,
            color=INK,
        )
