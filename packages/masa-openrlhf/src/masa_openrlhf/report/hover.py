"""Values on hover: an unseen circle with a title over each point of a figure.

Titles of SVG are what every browser shows by itself: no script, and nothing is loaded.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS_A_LINE = 60
"""Of a longer line as many are shown, evenly, its last one among them."""
_POINT = 72.0
_RADIUS = 4


class HoverPoint(NamedTuple):
    """A value of a figure.

    Attributes:
        x: from the left, in points (1/72 inch).
        y: from the top, likewise.
        text: what is shown.
    """

    x: float
    y: float
    text: str


def collect_points(figure: Figure) -> list[HoverPoint]:
    """Return the values of lines and bars, after the figure was drawn."""
    scale = _POINT / figure.dpi
    height = figure.get_figheight() * _POINT
    return [
        HoverPoint(x * scale, height - y * scale, text)
        for axes in figure.axes
        for places in (_list_line_points(axes), _list_bar_points(axes))
        for x, y, text in places
        if math.isfinite(x) and math.isfinite(y)
    ]


def render_points(points: list[HoverPoint]) -> str:
    """Return the circles as a group of SVG; nothing where there are none."""
    if not points:
        return ""
    circles = "".join(
        f'<circle cx="{point.x:.1f}" cy="{point.y:.1f}" r="{_RADIUS}">'
        f"<title>{escape(point.text)}</title></circle>"
        for point in points
    )
    return f'<g class="values">{circles}</g>'


def _list_line_points(axes: Any) -> Iterator[tuple[float, float, str]]:
    """Points of the lines that a legend or a marker makes to data; guides have neither."""
    for line in axes.get_lines():
        name = str(line.get_label())
        named = not name.startswith("_")
        if not named and line.get_marker() in ("None", "", None):
            continue
        pairs = line.get_xydata()
        every = max(1, math.ceil(len(pairs) / POINTS_A_LINE))
        for x, y in pairs[::-1][::every].tolist():
            place = axes.transData.transform((x, y))
            said = f"{_format_value(axes.xaxis, x)}, {_format_value(axes.yaxis, y)}"
            yield place[0], place[1], f"{name}: {said}" if named else said


def _list_bar_points(axes: Any) -> Iterator[tuple[float, float, str]]:
    """Ends of the bars, which lie."""
    for container in axes.containers:
        name = str(container.get_label())
        for bar in getattr(container, "patches", ()):
            end = (bar.get_x() + bar.get_width(), bar.get_y() + bar.get_height() / 2)
            place = axes.transData.transform(end)
            value = _format_value(axes.xaxis, bar.get_width())
            yield place[0], place[1], value if name.startswith("_") else f"{name}: {value}"


def _format_value(axis: Any, value: float) -> str:
    """Four digits, in percent where the axis is."""
    if hasattr(axis.get_major_formatter(), "convert_to_pct"):
        return f"{100 * value:.1f} %"
    return f"{value:,.4g}"
