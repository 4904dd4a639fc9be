from __future__ import annotations

import json

import pytest
from masa_rewards import AnswerVerifier
from masa_rewards.score import ScoreSettings
from masa_rewards.score.line_reader import read_line
from masa_rewards.score.notions import NotionTally
from masa_rewards.score.scored_line import score_line


def tally_problems(problems, *, most=100, settings=None):
    """Problems as (text of the right rollout, text of the wrong one, notions)."""
    settings = settings or ScoreSettings()
    made = NotionTally(settings, most=most)
    with AnswerVerifier() as verifier:
        for right, wrong, notions in problems:
            entry = {
                "problem": "p",
                "rollouts": [
                    {"text": right, "length": 1, "correct": True},
                    {"text": wrong, "length": 1, "correct": False},
                ],
                "predictions": [{"notions": notions}],
            }
            made.add(score_line(read_line(json.dumps(entry)), settings, verifier))
    return made.report()


def test_the_surest_come_first():
    # one of one, nine of ten, four of ten, none of ten, none of one
    problems = [("one", "", ["one"]), ("", "", ["never"])]
    problems += [("nine four" if n < 4 else "nine" if n < 9 else "", "", ["nine", "four", "ten"])
                 for n in range(10)]  # fmt: skip
    report = tally_problems(problems)
    # Wilson's lower bounds: 9/10 0.596, 1/1 0.207; not paid: 10/10 0.722, 6/10 0.313, 1/1 0.207
    assert [(row.notion, row.rewarded, row.problems) for row in report.best] == [
        ("nine", 9, 10),
        ("one", 1, 1),
    ]
    assert [row.notion for row in report.worst] == ["ten", "four", "never"]


def test_only_so_many_are_shown():
    problems = [(f"word{n}", "", [f"word{n}", f"other{n}"]) for n in range(9)]
    report = tally_problems(problems, settings=ScoreSettings(top=2))
    assert [row.notion for row in report.best] == ["word0", "word1"]
    assert [row.notion for row in report.worst] == ["other0", "other1"]
    assert report.distinct == 18
    assert tally_problems(problems, settings=ScoreSettings(top=0)).best == ()


def test_memory_is_bounded_and_what_is_forgotten_is_counted():
    often = [("often", "", ["often"])] * 3
    once = [(f"word{n}", "", [f"word{n}"]) for n in range(5)]
    report = tally_problems([*often, *once], most=4)
    # With the fifth different one the two of most problems are kept: often, and the first of once.
    assert report.distinct == 3
    assert report.forgotten == 3
    assert report.best[0].notion == "often"
    assert (report.best[0].rewarded, report.best[0].problems) == (3, 3)


@pytest.mark.parametrize("notion", ["x" * 5000, " ".join(f"w{n}" for n in range(2000))])
def test_a_notion_without_end_is_cut_where_it_is_shown(notion):
    (row,) = tally_problems([("x", "", [notion])]).worst
    assert row.notion == notion[:80]
