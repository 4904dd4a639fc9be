from pathlib import Path

from masa_openrlhf.eval.render.docs_tables import render_costs, render_table

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "eval_benchmarks.md"


def test_the_page_has_the_table_of_the_nineteen_as_the_entries_have_it():
    assert render_table() in PAGE.read_text("utf-8"), (
        "python -m masa_openrlhf.eval.render.docs_tables"
    )


def test_the_page_says_how_long_each_takes():
    assert render_costs() in PAGE.read_text("utf-8"), (
        "python -m masa_openrlhf.eval.render.docs_tables"
    )
