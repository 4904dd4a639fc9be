import pytest
from masa_openrlhf.report.groups import group_runs
from masa_openrlhf.report.runs import read_run
from masa_openrlhf.report.sections import notions

from tests.masa_openrlhf.report import factories


def run(tmp_path, *lines):
    folder = factories.make_run(tmp_path / "a", steps=len(lines), evals=())
    for step, line in enumerate(lines, 1):
        folder.write_notions(step, line)
    return read_run(folder.path)


def test_leads_of_the_first_and_the_last_third(tmp_path):
    """sieve: 20/40 - 10/20 = 0, then 30/40 - 5/20 = 0.5; guess falls from 0.25 to -0.25."""
    early = {"sieve": [20, 10, 40, 20], "guess": [20, 5, 40, 20]}
    late = {"sieve": [30, 5, 40, 20], "guess": [10, 10, 40, 20]}
    middle = {"sieve": [0, 999, 999, 999]}
    moved = notions.notion_movements([run(tmp_path, early, middle, late)])
    assert [one.notion for one in moved] == ["sieve", "guess"]
    assert [(one.before, one.after) for one in moved] == [(0.0, 0.5), (0.25, -0.25)]
    # Variances: 0.25/40 + 0.25/20 early, 0.1875/40 + 0.1875/20 late; √0.0328 = 0.181.
    assert moved[0].clear == pytest.approx(0.5 / 0.18114, rel=1e-3)
    assert [one.notion for one in notions.select_clear_movements(moved)] == ["sieve", "guess"]


def test_what_moved_no_more_than_chance_is_said(tmp_path):
    line = {"sieve": [20, 10, 40, 20], "rare": [1, 0, 5, 5]}
    found = notions.notions_section(group_runs([run(tmp_path, line, line, line)]))
    assert not found.pictures
    assert "no notion moved more than chance" in found.missing[0]


def test_a_run_that_recorded_none(tmp_path):
    found = notions.notions_section(group_runs([run(tmp_path)]))
    assert "Without recorded notions" in found.missing[0]
    assert len(found.missing) == 1
