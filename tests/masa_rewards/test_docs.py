"""The examples of the pages on notions, verification and reading predictions run."""

import doctest
import re
from pathlib import Path
from typing import get_args

import pytest
from masa_rewards.missing import Reason
from masa_rewards.notions.phrases import find_phrases, to_phrase

PAGE = Path(__file__).parents[2] / "docs" / "concepts" / "notions.md"


def is_found(notion, text):
    return bool(find_phrases(text, [to_phrase(notion)]))


def test_the_examples_run():
    result = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert result.attempted > 10
    assert result.failed == 0


@pytest.mark.parametrize(
    ("page", "examples"),
    [("concepts/verification.md", 13), ("reference/reading_predictions.md", 7)],
)
def test_the_examples_of_other_pages_run(page, examples):
    path = PAGE.parents[1] / page
    result = doctest.testfile(str(path), module_relative=False, encoding="utf-8")
    assert result.attempted >= examples
    assert result.failed == 0


def test_the_table_of_what_occurs_is_true():
    lines = PAGE.read_text(encoding="utf-8").partition("| notion | occurs in |")[2]
    rows = [line.strip("| ").split("|") for line in lines.split("\n\n")[0].splitlines()[2:]]
    assert len(rows) >= 9
    for row in rows:
        notion, where, *where_not = (cell.strip().replace("`", "") for cell in row)
        assert all(is_found(notion, text) for text in where.split(", \\")), row
        assert not any(is_found(notion, text) for text in where_not if text), row


def test_every_reason_is_told():
    page = (PAGE.parents[1] / "reference" / "reading_predictions.md").read_text("utf-8")
    told = re.findall(r"^\| `(\w+)` \|", page.partition("## Reasons")[2], re.MULTILINE)
    assert sorted(told) == sorted(get_args(Reason))
