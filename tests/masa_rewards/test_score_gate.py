"""What a gate would save on a file, worked out by hand."""

import json

import pytest
from masa_rewards.score import score_lines
from masa_rewards.score.gate.savings import GateReport
from masa_rewards.score.headline import write_headline
from masa_rewards.score.page.page import render_page


def make_line(verdicts, length, predicted=(), *, number=0):
    """A problem of rollouts of a length, ten characters each, and predicted pass rates."""
    rollouts = [{"text": "x" * 10, "length": length, "correct": right} for right in verdicts]
    predictions = [json.dumps({"pass_rate": rate}) for rate in predicted]
    return json.dumps({"problem": f"p{number}", "rollouts": rollouts, "predictions": predictions})


def measure(*lines):
    return score_lines(lines)


RIGHT, WRONG, MIXED = [True] * 4, [False] * 4, [True, False, True, False]


def test_groups_alone_say_how_much_could_be_spared():
    report = measure(
        make_line(RIGHT, 100), make_line(WRONG, 300), make_line(MIXED, 200), make_line([True], 50)
    )
    gate = report.gate
    # One rollout is no group. 4 * 100 + 4 * 300 of 4 * 600 tokens.
    assert (gate.groups, gate.amount, gate.unit) == (3, 2400, "tokens")
    assert (gate.all_right.share, gate.all_wrong.share) == (400 / 2400, 1200 / 2400)
    assert gate.ceiling == 1600 / 2400
    assert gate.by_pass_rate == (0.5, 0, 0, pytest.approx(1 / 3), 0, pytest.approx(1 / 6))
    assert (gate.cost, gate.rules) == (None, ())
    assert gate.verdict.answer == "maybe"
    # 1600 tokens of 3 problems: 533 for the predictions of one, and 67 for one of eight.
    assert "less than 533 tokens" in gate.verdict.sentence
    assert gate.verdict.settings[-1] == (
        "meta.rollouts = 8  # of at most 67 tokens each, to break even"
    )
    assert write_headline(report) == (
        "67% of the tokens went into groups that teach nothing (17% all right, 50% all wrong)."
    )


def test_what_the_papers_rule_would_have_skipped():
    gate = measure(
        make_line(RIGHT, 100, [8, 8]),  # foreseen
        make_line(WRONG, 300, [0, 0]),  # foreseen
        make_line(WRONG, 300, [8, 8]),  # skipped, for the wrong reason
        make_line(RIGHT, 100, [7, 8]),  # missed
        make_line(MIXED, 200, [0, 0]),  # skipped, and it would have taught something
        make_line(MIXED, 200, [4, 4]),  # rolled out
    ).gate
    paper = gate.rules[0]
    assert (paper.skipped, paper.right, paper.missed) == (4, 2, 1)
    assert (paper.precision.value, paper.recall.value) == (0.5, 2 / 3)
    assert paper.amount_skipped == 4 * (100 + 300 + 300 + 200)
    assert paper.amount_lost == 4 * 200
    # Of 4800 tokens for two groups that teach 1200 for one are left. A prediction, 16 characters,
    # takes 20 * 4800 / (24 * 10) tokens a character: 12 of them 192 * 20 = 3840.
    assert gate.cost.model_dump() == {
        "groups": 6,
        "predictions": 12,
        "rollout_amount": 4800,
        "amount": 3840,
        "share": 0.8,
    }
    assert paper.relative_cost == pytest.approx(((1200 + 3840) / 1) / (4800 / 2))
    assert gate.verdict.answer == "no"  # 0.8 of the tokens to predict, 0.67 to be spared
    # mean 15/16 is within 0.1 of 1: the missed one is skipped too
    assert gate.rules[2].recall.value == 1.0


def test_a_length_that_is_not_stated_makes_characters_the_unit():
    line = json.loads(make_line(RIGHT, 100, [8, 8]))
    del line["rollouts"][0]["length"]
    report = measure(json.dumps(line), make_line(MIXED, 200, [4]))
    gate = report.gate
    assert (gate.unit, gate.amount, gate.all_right.amount) == ("characters", 80, 40)
    assert gate.cost.amount == 3 * 16
    # No length to judge by, no reward; the pass rate is judged all the same.
    assert report.unscored.predictions_no_lengths == 2
    assert (report.rewards.predictions, report.pass_rate.predictions) == (1, 3)


def test_predictions_that_are_no_text_have_no_known_cost():
    line = json.loads(make_line(RIGHT, 100))
    line["predictions"] = [{"pass_rate": 1.0}]
    gate = measure(json.dumps(line), make_line(MIXED, 100, [4])).gate
    assert (gate.cost.predictions, gate.cost.amount, gate.cost.share) == (2, None, None)
    assert gate.rules[0].relative_cost == 0.5


def repeat(count, *arguments):
    return [make_line(*arguments, number=number) for number in range(count)]


@pytest.mark.parametrize(
    ("lines", "answer", "said"),
    [
        ([], "unknown", "no problem with two judged rollouts"),
        ([make_line([True], 9)], "unknown", "no problem with two judged rollouts"),
        (repeat(30, MIXED, 100), "no", "took 0% of the tokens"),
        (repeat(19, MIXED, 100), "no", "on 19 groups only: a hint"),
        (repeat(15, WRONG, 99) + repeat(15, MIXED, 99), "maybe", "would spare 50%"),
        (
            repeat(15, WRONG, 99, [0]) + repeat(15, MIXED, 99, [4]),
            "yes",
            "The paper's rule would use 10% fewer",
        ),
        (
            repeat(15, WRONG, 99, [3]) + repeat(15, MIXED, 99, [4]),
            "not yet",
            "skipped nothing",
        ),
        (
            repeat(15, WRONG, 99, [0]) + repeat(15, MIXED, 99, [0]),
            "not yet",
            "right in 50% of what it skips",
        ),
        (
            repeat(15, [False] * 30, 99, [3] * 8) + repeat(15, MIXED, 99, [4]),
            "not yet",
            "skipped nothing",
        ),
        (
            repeat(15, [False] * 30, 99, [1, 0, 0]) + repeat(15, [True, False] * 15, 99, [4] * 3),
            "yes",
            "A wider rule would use 34% fewer",
        ),
        (
            repeat(15, WRONG, 99, [0] * 8) + repeat(15, MIXED, 99, [4] * 8),
            "no",
            "ask for fewer than 8 a problem",
        ),
    ],
)
def test_verdicts(lines, answer, said):
    verdict = measure(*lines).gate.verdict
    assert (verdict.answer, said in verdict.sentence) == (answer, True), verdict


def test_a_page_holds_everything_and_asks_for_nothing():
    lines = repeat(15, WRONG, 99, [0]) + repeat(15, MIXED, 99, [4])
    report = measure(*lines).model_copy(update={"notes": ("<b>read</b> as rows",)})
    page = render_page(report)
    assert page.startswith("<!doctype html>")
    assert "&lt;b&gt;read&lt;/b&gt; as rows" in page
    for outside in ("http", "<script", "<link", "url(", "@import"):
        assert outside not in page
    # Both figures, with their values on hover; the rules as a table.
    assert page.count("<svg") == 2
    assert "pass rate 0: 50.0% of the tokens" in page
    assert "predicted 0.500, true 0.500 (15 predictions)" in page
    assert page.count("<tr>") == 1 + len(report.gate.rules) + 4


def test_a_page_of_groups_alone_and_of_nothing():
    assert render_page(measure(*repeat(3, MIXED, 9))).count("<svg") == 1
    assert "There is nothing to judge" in render_page(measure())


def test_a_report_comes_back_from_json():
    gate = measure(*repeat(3, RIGHT, 9, [8])).gate
    assert GateReport.model_validate_json(gate.model_dump_json()) == gate
