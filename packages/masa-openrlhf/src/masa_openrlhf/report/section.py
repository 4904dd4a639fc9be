"""What a page is put together from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from masa_openrlhf.report.sections.examples import EpisodeExample


@dataclass(frozen=True, slots=True)
class Plot:
    """A figure of one panel; nothing is drawn before the page is written.

    Attributes:
        key: names its file.
        title: what it shows, in a few words.
        draw: draws it.
        legend: lines above it that name what is drawn.
        height: inches, without the legend.
    """

    key: str
    title: str
    draw: Callable[[Axes], None]
    legend: int = 0
    height: float = 2.9


@dataclass(frozen=True, slots=True)
class Table:
    """A table; its first column names the rows.

    Attributes:
        heads: of the columns.
        rows: a cell each.
        caption: what it shows, where the text above does not say it.
    """

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page.

    Attributes:
        key: names its place on the page.
        title: its heading.
        says: paragraphs, what it shows and how to read it.
        pictures: side by side, as many as there is room for.
        tables: below them.
        missing: what cannot be shown, and why.
        examples: episodes to read.
        fragments: HTML of our own making that is taken in as it is.
    """

    key: str
    title: str
    says: Sequence[str] = ()
    pictures: Sequence[Plot] = ()
    tables: Sequence[Table] = ()
    missing: Sequence[str] = ()
    examples: Sequence[EpisodeExample] = ()
    fragments: Sequence[str] = ()
