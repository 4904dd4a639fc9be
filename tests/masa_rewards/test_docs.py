"""The examples in docs/concepts/notions.md run."""

import doctest
from pathlib import Path

from masa_rewards.notions.phrases import find_phrases, to_phrase

PAGE = Path(__file__).parents[2] / "docs" / "concepts" / "notions.md"


def is_found(notion, text):
    return bool(find_phrases(text, [to_phrase(notion)]))


def test_the_examples_run():
    result = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert result.attempted > 10
    assert result.failed == 0


def test_the_table_of_what_occurs_is_true():
    lines = PAGE.read_text(encoding="utf-8").partition("| notion | occurs in |")[2]
    rows = [line.strip("| ").split("|") for line in lines.split("\n\n")[0].splitlines()[2:]]
    assert len(rows) >= 9
    for row in rows:
        notion, where, *where_not = (cell.strip().replace("`", "") for cell in row)
        assert all(is_found(notion, text) for text in where.split(", \\")), row
        assert not any(is_found(notion, text) for text in where_not if text), row
