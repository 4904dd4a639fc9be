"""The benchmark pages show the record, its commands exist, and what is derived in it adds up."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest
from masa_benchmarks.overhead.generation import MODELS, generation_seconds, tokens_per_second
from masa_benchmarks.overhead.text import StepSize
from masa_benchmarks.paths import ROOT
from masa_benchmarks.recorded import PAGES, fill_benchmark_page, read_recorded_tables

TABLES = read_recorded_tables()


def number(cell):
    """The first number of a cell, as in "**12.2** (11.9-12.6)"."""
    return float(re.search(r"-?\d[\d,]*\.?\d*", cell)[0].replace(",", ""))


def column(name, row_head):
    (row,) = [row for row in TABLES[name].rows if row[0] == row_head]
    return dict(zip(TABLES[name].columns, row, strict=True))


@pytest.mark.parametrize("page", PAGES)
def test_the_tables_of_a_page_are_those_of_the_record(page):
    text = PAGES[page].read_text("utf-8")
    assert fill_benchmark_page(page) == text, "python -m masa_benchmarks.recorded"
    shown = re.findall(r"<!-- table: (.*?) -->", text)
    assert shown == [name for name, table in TABLES.items() if table.page == page]


@pytest.mark.parametrize("name", TABLES)
def test_a_recorded_table_says_what_made_it(name):
    table = TABLES[name]
    assert table.machine
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", table.date)
    assert all(len(row) == len(table.columns) for row in table.rows)
    words = shlex.split(table.command)
    if words[:2] != ["python", "-m"]:
        return
    spec = importlib.util.find_spec(words[2])
    folder = Path(spec.origin).parent if spec.submodule_search_locations else None
    files = folder.glob("*.py") if folder else [Path(spec.origin)]
    source = "\n".join(file.read_text("utf-8") for file in files)
    for word in words[3:]:
        if word.startswith("--") or word.isalpha():
            assert f'"{word}"' in source, word


@pytest.mark.parametrize("name", [n for n in TABLES if not TABLES[n].command.startswith("python")])
def test_other_commands_of_the_record_exist(name):
    words = shlex.split(TABLES[name].command)
    if words[0] == "make":
        assert f"\n{words[1]}:" in (ROOT / "Makefile").read_text("utf-8")
    else:
        assert words[0] == "pytest"
        assert (ROOT / words[1]).exists()


def test_ratios_of_the_notions_are_those_of_their_seconds():
    for row in TABLES["notions"].rows:
        loops, _, ours, ratio = (number(cell) for cell in row[1:5])
        assert ratio == pytest.approx(loops / ours, abs=0.06)
    for row in TABLES["notions-growth"].rows:
        megabytes, loops, ours, ratio = (number(row[i]) for i in (1, 2, 3, 4))
        rounding = 0.0006 / ours + 0.01  # of milliseconds, and of the megabytes
        assert ratio == pytest.approx(loops / ours, rel=rounding, abs=0.051)
        assert number(row[5]) == pytest.approx(megabytes / ours, rel=rounding, abs=0.51)


def test_shares_of_verification_are_those_of_its_counts():
    for row in TABLES["verification-right"].rows:
        assert number(row[2]) == pytest.approx(100 * number(row[1]) / 7496, abs=5e-4)
    ours = TABLES["verification-wrong"].rows[0]
    assert sum(number(cell) for cell in ours[1:]) == 20_000
    assert sum(number(cell) for cell in TABLES["verification-wrong"].rows[1][1:3]) == 20_000


def test_f1_of_the_embedded_default_follows_from_precision_and_recall():
    rows = {row[0]: row[1:] for row in TABLES["embedded-default"].rows}
    for precision, recall, f1 in zip(
        rows["gate precision"], rows["gate recall"], rows["gate F1"], strict=True
    ):
        p, r = number(precision), number(recall)
        assert number(f1) == pytest.approx(2 * p * r / (p + r), abs=0.011)


def test_the_overhead_adds_up_and_is_the_share_of_generation_that_the_page_says():
    parts = [number(row[3]) for row in TABLES["overhead-paper"].rows]
    assert sum(parts[:-1]) == pytest.approx(parts[-1], rel=0.02)
    page = PAGES["overhead"].read_text("utf-8")
    small, large = MODELS.values()
    for model, share in ((small, "0.62 %"), (large, "0.44 %")):
        seconds = generation_seconds(model, StepSize())
        assert f"{seconds:.0f} s" in page
        assert f"{100 * parts[-1] / seconds:.2f} %" == share
        assert share in page
    assert f"{tokens_per_second(small, 6251):,.0f} tokens a second" not in page  # solutions alone
    assert f"{StepSize().tokens / generation_seconds(small, StepSize()):,.0f} tokens" in page
    short = StepSize(solution_tokens=2293)
    assert f"{short.tokens / generation_seconds(small, short):,.0f} tokens" in page
    assert f"{generation_seconds(small, short):.0f} s" in page
    for row in TABLES["overhead-readers"].rows:
        together = number(row[5])
        assert sum(number(cell) for cell in row[1:5]) == pytest.approx(together, abs=0.003)
        share = 100 * together / generation_seconds(small, StepSize())
        assert number(row[6]) == pytest.approx(share, abs=0.006)


SPREAD = re.compile(r"([\d.,]+)\*{0,2} (?:\[|\()([\d.,]+)(?:-|, )([\d.,]+)(?:\]|\))")
"""As in "**12.2** (11.9-12.6)" and "0.68 [0.60, 0.68]"."""


def test_a_value_lies_within_its_interval():
    cells = [cell for table in TABLES.values() for row in table.rows for cell in row]
    found = [spread for cell in cells for spread in SPREAD.findall(cell)]
    assert len(found) > 60
    assert [s for s in found if not number(s[1]) <= number(s[0]) <= number(s[2])] == []
