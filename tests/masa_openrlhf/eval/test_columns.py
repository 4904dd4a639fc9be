"""One list of columns for two media."""

import pytest
from masa_openrlhf.eval.render.columns import (
    COMPARED_COLUMNS,
    META_COLUMNS,
    Column,
    format_gain,
    format_interval,
    format_share,
    number_format,
    write_table,
)
from masa_rewards.statistics import Interval

COLUMNS = (
    Column("name", lambda row: row["name"], align="left"),
    Column("on the page", lambda row: row["a"], terminal="short"),
    Column("precision", lambda row: row["p"], number_format(".2f"), terminal="P / R"),
    Column("recall", lambda row: row["r"], number_format(".2f"), terminal="P / R"),
    Column("extra", lambda row: row["a"], only="terminal"),
    Column("more", lambda row: row["a"], only="page"),
)
ROWS = [{"name": "x", "a": 3, "p": 0.5, "r": None}]


def test_a_page_has_a_cell_a_column():
    table = write_table(COLUMNS, ROWS, "page")
    assert table.heads == ["name", "on the page", "precision", "recall", "more"]
    assert table.rows == [["x", "3", "0.50", "–", "3"]]
    assert table.aligns == ["left", "right", "right", "right", "right"]


def test_in_a_terminal_neighbours_of_one_heading_share_a_cell():
    table = write_table(COLUMNS, ROWS, "terminal")
    assert table.heads == ["name", "short", "P / R", "extra"]
    assert table.rows == [["x", "3", "0.50 / –", "3"]]
    assert table.aligns == ["left", "right", "right", "right"]


def test_no_rows_are_a_table_of_headings():
    assert write_table(COLUMNS, [], "page").rows == []


@pytest.mark.parametrize("columns", [META_COLUMNS, COMPARED_COLUMNS])
@pytest.mark.parametrize("medium", ["terminal", "page"])
def test_only_the_first_column_stands_on_the_left(columns, medium):
    """As the style of the page has it."""
    first, *others = write_table(columns, [], medium).aligns
    assert (first, set(others)) == ("left", {"right"})


@pytest.mark.parametrize(
    ("found", "written", "gained"),
    [
        (Interval(0.5, 0.25, 0.75), "50.0 [25.0, 75.0]", "+50.0 [+25.0, +75.0]"),
        (Interval(0.5, None, None), "50.0", "+50.0"),
        (Interval(None, None, None), "–", "–"),
        (None, "–", "–"),
    ],
)
def test_intervals_are_in_percent(found, written, gained):
    assert (format_interval(found), format_gain(found)) == (written, gained)


def test_what_is_not_defined_is_a_dash():
    assert (format_share(None), format_share(0.125)) == ("–", "12.5")
    assert (number_format("+.2f")(None), number_format(",.0f")(1234.4)) == ("–", "1,234")
