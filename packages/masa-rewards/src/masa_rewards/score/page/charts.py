"""Two figures as SVG: where the tokens went, and predicted against true pass rates."""

from __future__ import annotations

import math
from collections.abc import Sequence

from masa_rewards.score.calibration import ReliabilityRow

_WIDTH, _HEIGHT = 480, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 20, 54
_BINS = ("0", "&lt; ¼", "&lt; ½", "&lt; ¾", "&lt; 1", "1")


def draw_pass_rates(shares: Sequence[float], unit: str) -> str:
    """Draw the share of all tokens by the true pass rate of their group, a column each.

    Args:
        shares: In [0, 1], of the six ranges of `GateReport.by_pass_rate`.
        unit: What they are shares of.
    """
    step = (_WIDTH - _LEFT - _RIGHT) / len(_BINS)
    highest = max(0.05, *shares)
    parts = []
    for index, (name, share) in enumerate(zip(_BINS, shares, strict=True)):
        x = _LEFT + step * (index + 0.5)
        top = _HEIGHT - _BOTTOM - share / highest * (_HEIGHT - _TOP - _BOTTOM)
        kind = "dull" if index in (0, len(_BINS) - 1) else "live"
        parts.append(
            f'<rect class="{kind}" x="{x - step * 0.38:.1f}" y="{top:.1f}" '
            f'width="{step * 0.76:.1f}" height="{_HEIGHT - _BOTTOM - top:.1f}">'
            f"<title>pass rate {name}: {share:.1%} of the {unit}</title></rect>"
            + _write_text(x, top - 5, f"{share:.0%}", anchor="middle")
            + _write_text(x, _HEIGHT - _BOTTOM + 24, name, anchor="middle")
        )
    base = _HEIGHT - _BOTTOM
    parts.append(_draw_line(_LEFT, base, _WIDTH - _RIGHT, base, "axis"))
    parts.append(_write_text(_WIDTH / 2, _HEIGHT - 8, "true pass rate of the group", "middle"))
    return _wrap_in_frame("".join(parts), f"Share of the {unit} by true pass rate")


def draw_reliability(rows: Sequence[ReliabilityRow]) -> str:
    """Draw the mean true pass rate against the predicted one, a circle a predicted value.

    Args:
        rows: The circles; an area says how many predictions they are.
    """
    most = max((row.predictions for row in rows), default=1)
    parts = [_draw_line(_place_x(0), _place_y(0), _place_x(1), _place_y(1), "even")]
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(_draw_line(_place_x(0), _place_y(tick), _place_x(1), _place_y(tick), "axis"))
        parts.append(_write_text(_LEFT - 6, _place_y(tick) + 4, f"{tick:g}", anchor="end"))
        parts.append(_write_text(_place_x(tick), _HEIGHT - _BOTTOM + 24, f"{tick:g}", "middle"))
    for row in rows:
        radius = 3 + 11 * math.sqrt(row.predictions / most)
        parts.append(
            f'<circle class="live" fill-opacity="0.75" cx="{_place_x(row.predicted):.1f}" '
            f'cy="{_place_y(row.true):.1f}" r="{radius:.1f}"><title>predicted '
            f"{row.predicted:.3f}, true {row.true:.3f} ({row.predictions:,} predictions)"
            "</title></circle>"
        )
    parts.append(_write_text(_WIDTH / 2, _HEIGHT - 8, "predicted pass rate", "middle"))
    return _wrap_in_frame("".join(parts), "True pass rate by predicted pass rate")


def _place_x(value: float) -> float:
    return _LEFT + 14 + value * (_WIDTH - _LEFT - _RIGHT - 28)


def _place_y(value: float) -> float:
    return _HEIGHT - _BOTTOM - value * (_HEIGHT - _TOP - _BOTTOM)


def _draw_line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _write_text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'


def _wrap_in_frame(inner: str, label: str) -> str:
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">{inner}</svg>'
