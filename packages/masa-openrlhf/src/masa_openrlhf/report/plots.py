"""Pictures as they stand in the page (SVG) and beside it (PNG).

The colours are Okabe and Ito's, which colour-blind readers tell apart; markers and dashes tell the
groups apart without any. In the page they are CSS variables, so a picture turns dark with it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from masa_openrlhf.report.hover import collect_points, render_points
from masa_openrlhf.report.section import Plot

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)))
INK, FAINT = "#1b1c1d", "#d7d8da"

_WIDTH = 4.3
_LEFT, _RIGHT, _BELOW, _ABOVE = 0.74, 0.12, 0.5, 0.12
_LINE = 0.2
_TITLE = 0.28
_DPI = 130

_IN_PAGE = {
    **{colour: f"var(--c{i})" for i, colour in enumerate(COLOURS)},
    INK: "currentColor",
    FAINT: "var(--faint)",
}


class RenderedPlot(NamedTuple):
    """A picture that was drawn.

    Attributes:
        svg: for the page.
        png: for its file.
    """

    svg: str
    png: bytes


def draw_plots(pictures: Sequence[Plot]) -> list[RenderedPlot]:
    """Draw pictures, each once for the page and once for its file."""
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # whatever a matplotlibrc of the user's says
        matplotlib.rcParams.update(_plot_settings())
        return [_draw_plot(picture) for picture in pictures]


def draw_plot(picture: Plot) -> RenderedPlot:
    """Draw a picture."""
    return draw_plots([picture])[0]


def _draw_plot(picture: Plot) -> RenderedPlot:
    figure = _make_figure(picture)
    svg, png = io.StringIO(), io.BytesIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(svg, format="svg", transparent=True, metadata=nothing)
    values = render_points(collect_points(figure))
    figure.suptitle(picture.title, x=0.02, y=0.99, ha="left", va="top", fontsize=9.5)
    quick = {"compress_level": 3}
    figure.savefig(png, format="png", dpi=_DPI, facecolor="white", pil_kwargs=quick)
    return RenderedPlot(_embed_svg(svg.getvalue(), picture, values), png.getvalue())


def _make_figure(picture: Plot) -> Figure:
    from matplotlib.figure import Figure

    above = _ABOVE + _LINE * picture.legend + _TITLE
    height = picture.height + above
    figure = Figure(figsize=(_WIDTH, height))
    axes = figure.add_axes(
        (
            _LEFT / _WIDTH,
            _BELOW / height,
            (_WIDTH - _LEFT - _RIGHT) / _WIDTH,
            (height - _BELOW - above) / height,
        )
    )
    picture.draw(axes)
    if picture.legend and axes.get_legend_handles_labels()[0]:
        axes.legend(
            loc="lower left",
            bbox_to_anchor=(-0.02, 1.0),
            frameon=False,
            borderaxespad=0.1,
            labelspacing=0.15,
        )
    return figure


def _plot_settings() -> Any:
    return {
        "font.size": 9.0,
        "font.family": ["DejaVu Sans"],
        "svg.fonttype": "none",
        "svg.hashsalt": "masa",
        "text.color": INK,
        "axes.edgecolor": INK,
        "axes.labelcolor": INK,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.linewidth": 0.8,
        "grid.color": FAINT,
        "grid.linewidth": 0.7,
        "xtick.color": INK,
        "ytick.color": INK,
        "lines.linewidth": 1.8,
        "lines.markersize": 4.5,
        "legend.handlelength": 2.6,
        "legend.fontsize": 9.0,
    }


def _embed_svg(svg: str, picture: Plot, values: str) -> str:
    """The picture as a part of a page: no header, ids of its own, colours of the page, values."""
    text = svg[svg.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->\n?", "", text, flags=re.DOTALL)
    text = re.sub(r"^<svg[^>]*>", lambda found: _make_opening_tag(found[0], picture), text)
    text = text.replace("xlink:href", "href")
    text = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{picture.key}-", text)
    text = text.replace("'DejaVu Sans'", "system-ui, sans-serif")
    for colour, variable in _IN_PAGE.items():
        text = text.replace(colour, variable)
    return text.strip().removesuffix("</svg>") + values + "</svg>"


def _make_opening_tag(tag: str, picture: Plot) -> str:
    box = re.search(r'viewBox="0 0 (\S+) (\S+)"', tag)
    assert box is not None
    above = 72 * _TITLE  # the page has the title in its own type: cut its place off
    inside = f"0 {above:.2f} {box[1]} {float(box[2]) - above:.2f}"
    return f'<svg viewBox="{inside}" role="img" aria-label="{escape(picture.title)}">'
