from __future__ import annotations

import json

import pytest
from masa_rewards import (
    AnswerVerifier,
    MetaPrediction,
    MetaPrompt,
    NotionRules,
    Rollout,
    RolloutGroup,
)
from masa_rewards.notions.finder import PhraseFinder
from masa_rewards.score import LineError, Report, Scorer, ScoreSettings, score_lines
from masa_rewards.score.text import render_report


def make_rollout(text, length, correct):
    return {"text": text, "length": length, "correct": correct}


def make_answer(rate, length, notions):
    return json.dumps({"math_notion": notions, "pass_rate": rate, "solution_length": length})


# p = 0.5; correct lengths 100 and 200, their median 150.
FIRST = {
    "problem": "Invert it.",
    "rollouts": [
        make_rollout("a matrix, by Vieta", 100, True),
        make_rollout("by Vieta, the matrices", 200, True),
        make_rollout("a matrix and a series", 300, False),
        make_rollout("series", 400, False),
    ],
    "predictions": [
        # length 1, difficulty 1; both notions pay (2 > 1, 2 > 0): total 1
        make_answer(4, 150, ["matrix", "Vieta"]),
        # length 0, difficulty 0.01 ** 0.5 = 0.1; series 0 against 2: total 0.1 / 3
        {"pass_rate": 1.0, "length": 50, "notions": ["Series"]},
    ],
}
# p = 0, and no correct length
SECOND = {
    "problem": "Sum it.",
    "rollouts": [make_rollout("series", 500, False), make_rollout("x", 600, False)],
    "predictions": [
        # length 0, difficulty 1, notion 0: total 1 / 3
        make_answer(0, 500, ["topology", "Matrices"]),
        "no idea",
    ],
}


def score_entries(*entries, **options) -> Report:
    return score_lines([json.dumps(entry) for entry in entries], **options)


@pytest.fixture(scope="module")
def report() -> Report:
    return score_entries(FIRST, SECOND)


def test_what_was_read(report):
    assert (report.problems, report.rollouts, report.correct, report.predictions) == (2, 6, 2, 4)
    assert report.lines.model_dump() == {"scored": 2, "bad": 0, "first_bad": (), "stopped": None}
    assert report.verdicts == {"given": 6}
    assert set(report.unscored.model_dump().values()) == {0}


def test_mean_rewards_by_hand(report):
    rewards = report.rewards
    assert (rewards.predictions, rewards.problems) == (4, 2)
    assert rewards.length.mean == pytest.approx(1 / 4)
    assert rewards.difficulty.mean == pytest.approx((1 + 0.1 + 1 + 0) / 4)
    assert rewards.notion.mean == pytest.approx(1 / 4)
    assert rewards.total.mean == pytest.approx((1 + 0.1 / 3 + 1 / 3 + 0) / 4)
    # difficulty: residuals of the two problems are 1.1 - 1.05 and 1.0 - 1.05, so
    # se^2 = 2 / 1 * 2 * 0.05^2 / 4^2 = 0.000625, and t of one degree is 12.706
    assert rewards.difficulty.low == pytest.approx(0.525 - 12.706205 * 0.025)
    assert rewards.difficulty.high == pytest.approx(0.525 + 12.706205 * 0.025)
    assert (rewards.length.low, rewards.length.high) == (0.0, 1.0)  # cut


def test_calibration_of_the_pass_rate_by_hand(report):
    # predicted 0.5, 1, 0 for true 0.5, 0.5, 0
    rate = report.pass_rate
    assert rate.predictions == 3
    assert rate.predicted == pytest.approx(0.5)
    assert rate.true == pytest.approx(1 / 3)
    assert rate.error.absolute == pytest.approx(0.5 / 3)
    # (p^ - p)^2 + p (1 - p): 0.25, 0.25 + 0.25, 0
    assert rate.error.brier == pytest.approx(0.25)
    assert rate.error.difficulty == pytest.approx((1 + 0.1 + 1) / 3)
    # always 1/3: off by 1/6, 1/6, 1/3; its Brier score is 1/3 * 2/3
    assert rate.baseline.absolute == pytest.approx(2 / 9)
    assert rate.baseline.brier == pytest.approx(2 / 9)
    assert rate.baseline.difficulty == pytest.approx((2 * 0.01 ** (1 / 6) + 0.01 ** (1 / 3)) / 3)
    # S_xy = 1/12 + 1/6, S_xx = 1/2, S_yy = 1/6
    assert rate.correlation == pytest.approx(0.25 / (1 / 12) ** 0.5)
    assert [(row.predicted, row.true, row.predictions) for row in rate.table] == [
        (0.0, 0.0, 1),
        (0.5, 0.5, 1),
        (1.0, 0.5, 1),
    ]
    assert rate.calibration_error == pytest.approx(0.5 / 3)


def test_calibration_of_the_length_by_hand(report):
    length = report.length
    assert (length.predictions, length.below, length.within, length.above) == (2, 1, 1, 0)
    assert length.no_correct == 1
    # ratios 1/3 and 1
    assert length.ratio_quartiles == pytest.approx((1 / 2, 2 / 3, 5 / 6))
    assert length.correlation is None  # one true median only


def test_the_bounds_of_the_length_are_within():
    lengths = [99, 100, 200, 201, 202]
    length = score_entries({**FIRST, "predictions": [{"length": each} for each in lengths]}).length
    assert (length.below, length.within, length.above) == (1, 2, 2)


def test_what_was_not_predicted_stands_by_reason(report):
    assert report.unreadable == {
        name: {"no_json": 1} for name in ("pass_rate", "length", "notions")
    }


def test_notions_by_hand(report):
    notions = report.notions
    assert notions.distinct == 4
    assert [row.model_dump() for row in notions.best] == [
        # 2 of 2 correct ones, 0 of 2 wrong ones
        {
            "notion": "Vieta",
            "predictions": 1,
            "problems": 1,
            "rewarded": 1,
            "correct": 1.0,
            "incorrect": 0.0,
        }
    ]
    rows = [
        (row.notion, row.rewarded, row.problems, row.correct, row.incorrect)
        for row in notions.worst
    ]
    assert rows == [
        ("Series", 0, 1, 0.0, 1.0),
        ("topology", 0, 1, None, 0.0),  # its problem has no correct rollout
        ("matrix", 1, 2, 1.0, 0.25),  # wrong: 1 of 2, then 0 of 2
    ]
    assert notions.worst[2].predictions == 2


def test_notions_that_do_not_count():
    entry = {**FIRST, "problem": "A matrix."}
    rules = NotionRules(min_length=6, stop_words=frozenset(["series"]))
    counts = score_entries(entry, settings=ScoreSettings(notion_rules=rules)).notions
    assert (counts.in_problem, counts.not_admitted) == (1, 2)  # matrix; Vieta, Series
    assert counts.best == counts.worst == ()


def test_the_form_that_most_wrote_names_a_notion():
    one, other, two = "Vieta's formula", "vieta formulas", ["vieta formulas", "Vieta-formula"]
    named = [{"notions": notions} for notions in ([one], two, [other], two)]
    entry = {**FIRST, "predictions": named}
    (row,) = score_entries(entry).notions.worst
    assert (row.notion, row.predictions) == ("vieta formulas", 4)
    # A prediction that states a notion in two forms names it once, by the first.
    (row,) = score_entries({**FIRST, "predictions": named[1:2]}).notions.worst
    assert (row.notion, row.predictions) == ("vieta formulas", 1)


def test_rollouts_are_verified_where_the_line_does_not_say():
    entry = {
        "problem": "2 + 2?",
        "answer": 4,
        "rollouts": [
            # what the line says goes before what its answer says
            {"text": r"\boxed{5}", "length": 40, "correct": True},
            {"text": r"\boxed{4}", "length": 10},
            {"text": r"\boxed{5}", "length": 20},
            {"text": "four", "length": 30},
        ],
        "predictions": [{"pass_rate": 0.5, "length": 40}],
    }
    report = score_entries(entry)
    assert report.verdicts == {"correct": 1, "given": 1, "incorrect": 1, "unparsable": 1}
    assert report.correct == 2
    assert report.rewards.length.mean == report.rewards.difficulty.mean == 1.0


def test_answers_that_only_the_same_text_matches_are_counted():
    entry = {"problem": "2?", "rollouts": [{"text": r"\boxed{2}", "length": 1}], "predictions": []}
    known = {**entry, "rollouts": [make_rollout("2", 1, True)], "answer": "proof"}
    answers = ("2", "proof", r"\frac{1}{", "notfound")
    with AnswerVerifier(workers=1) as verifier:
        report = score_entries(
            known, *({**entry, "answer": answer} for answer in answers), verifier=verifier
        )
    assert report.targets == {"placeholder": 2, "unreadable": 1}
    text = render_report(report)
    assert "Answers that only the same text matches: placeholder 2, unreadable 1" in text


class FailingVerifier(AnswerVerifier):
    """Every case takes too long, but the first, which fails."""

    def verify_many(self, pairs):
        from masa_rewards import Verdict

        statuses = ["error"] + ["timeout"] * len(pairs)
        return [
            Verdict(status=status, answer=None) for status, _ in zip(statuses, pairs, strict=False)
        ]


def test_what_could_not_be_verified_is_left_out_and_counted():
    entry = {
        "problem": "2 + 2?",
        "answer": "4",
        "rollouts": [{"text": "x", "length": 1}] * 3,
        "predictions": [{"pass_rate": 1.0}, {"pass_rate": 0.5}],
    }
    known = {**entry, "rollouts": [*entry["rollouts"], make_rollout("y", 9, True)]}
    unknown = {
        "problem": "3?",
        "rollouts": [{"text": "x", "length": 1, "correct": None}],
        "predictions": [{"pass_rate": 1.0}],
    }
    none = {"problem": "4?", "rollouts": [], "predictions": [{"pass_rate": 1.0}] * 4}
    report = score_entries(entry, known, unknown, none, verifier=FailingVerifier())
    assert report.unscored.model_dump() == {
        "rollouts_timeout": 4,
        "rollouts_error": 2,
        "rollouts_unknown": 1,
        "predictions_no_rollouts": 4,
        "predictions_none_verified": 3,
        "predictions_no_lengths": 0,
    }
    # Only the problem with a rollout that is known is judged: p = 1.
    assert (report.rewards.predictions, report.rewards.problems) == (2, 1)
    assert report.rewards.difficulty.mean == pytest.approx((1 + 0.1) / 2)
    assert report.rewards.difficulty.low is None
    assert report.pass_rate.predictions == 2


def test_settings_reach_parser_and_rewards():
    prompt = MetaPrompt(scale=4, pass_rate_key="right", min_length=1, max_length=120)
    entry = {**FIRST, "predictions": ['{"right": 2, "solution_length": 150}', '{"right": 5}']}
    report = score_entries(entry, settings=ScoreSettings(prompt=prompt, base=0.25))
    assert report.unreadable["pass_rate"] == {"out_of_range": 1}
    assert report.unreadable["length"] == {"no_key": 1, "out_of_range": 1}
    assert report.rewards.difficulty.mean == 0.5  # 1 and unread
    entry = {**FIRST, "predictions": [{"pass_rate": 1.0}]}
    report = score_entries(entry, settings=ScoreSettings(base=0.25))
    assert report.rewards.difficulty.mean == 0.5  # 0.25 ** 0.5
    assert report.settings.base == 0.25


def test_a_problem_that_comes_again_is_counted():
    assert score_entries(FIRST, SECOND, FIRST).repeated_problems == 1


def test_nothing_is_scored_of_nothing():
    report = score_entries()
    assert report.problems == 0
    assert report.rewards.total.mean is None
    assert report.pass_rate.error.brier is None
    assert report.length.ratio_quartiles is None


def test_bad_lines_are_told_and_passed_over():
    told = []
    lines = [json.dumps(FIRST), "", "{", "  ", json.dumps({"problem": "x"}), json.dumps(SECOND)]
    report = score_lines(lines, on_bad=lambda number, error: told.append((number, str(error))))
    assert [number for number, _ in told] == [3, 5]
    assert [(bad.line, bad.reason) for bad in report.lines.first_bad] == told
    assert report.lines.bad == 2
    whole = score_entries(FIRST, SECOND)
    assert report.model_copy(update={"lines": whole.lines}) == whole


def test_of_many_bad_lines_the_first_are_told_and_all_counted():
    report = score_lines(["{"] * 30)
    assert report.lines.bad == 30
    assert [bad.line for bad in report.lines.first_bad] == list(range(1, 21))


def test_strict_ends_at_the_first_bad_line():
    with pytest.raises(LineError, match="line 2: not JSON"):
        score_lines([json.dumps(FIRST), "{", json.dumps(SECOND)], strict=True)


def test_one_text_is_no_lines():
    with pytest.raises(TypeError, match="open the file: got 'runs.jsonl'"):
        score_lines("runs.jsonl")


def test_a_scorer_reports_what_it_has_so_far():
    with AnswerVerifier() as verifier:
        scorer = Scorer(verifier)
        scorer.add(json.dumps(FIRST), 1)
        first = scorer.report()
        scorer.add(json.dumps(SECOND), 2)
        assert first == score_entries(FIRST)
        assert scorer.report(stopped="enough").lines.stopped == "enough"
        assert scorer.report() == score_entries(FIRST, SECOND)


def test_groups_that_are_verified_are_scored_as_their_lines_are():
    scorer, prompt = Scorer(), MetaPrompt()
    for entry in (FIRST, SECOND):
        texts = [p if isinstance(p, str) else None for p in entry["predictions"]]
        read = [prompt.parse(text) for text in texts if text]
        if entry is FIRST:
            read.append(MetaPrediction(pass_rate=1.0, length=50, notions=("Series",)))
        rollouts = tuple(Rollout(**one) for one in entry["rollouts"])
        scorer.add_group(RolloutGroup(problem=entry["problem"], rollouts=rollouts), read)
    assert scorer.report() == score_entries(FIRST, SECOND)


def test_rollouts_that_are_in_no_group_are_counted_by_their_verdict():
    scorer = Scorer()
    known = RolloutGroup(problem="a", rollouts=(Rollout(text="x", length=1, correct=True),))
    scorer.add_group(known, [MetaPrediction()], {"correct": 1, "timeout": 2})
    scorer.add_group(RolloutGroup(problem="b", rollouts=()), [MetaPrediction()], {"error": 1})
    scorer.add_group(RolloutGroup(problem="c", rollouts=()), [MetaPrediction()] * 3)
    report = scorer.report()
    assert (report.rollouts, report.correct, report.predictions) == (4, 1, 5)
    assert report.verdicts == {"correct": 1, "error": 1, "timeout": 2}
    assert report.unscored.model_dump() == {
        "rollouts_timeout": 2,
        "rollouts_error": 1,
        "rollouts_unknown": 0,
        "predictions_no_rollouts": 3,
        "predictions_none_verified": 1,
        "predictions_no_lengths": 0,
    }


def test_lines_want_a_verifier():
    with pytest.raises(ValueError, match="give the Scorer a verifier, or use add_group"):
        Scorer().add(json.dumps(FIRST), 1)


def test_a_report_comes_back_from_its_json(report):
    assert Report.model_validate_json(report.model_dump_json()) == report


def test_notions_are_paid_by_the_rules_of_the_settings():
    # "hence" in all of three right and one wrong: 3 > 1, but 3 of 3 is no larger share than 1 of 1.
    entry = {
        "problem": "Sum it.",
        "rollouts": [make_rollout("hence", 1, True)] * 3 + [make_rollout("hence", 1, False)],
        "predictions": [{"notions": ["hence"]}],
    }
    assert score_entries(entry).rewards.notion.mean == 1.0
    by_rate = ScoreSettings(notion_rules=NotionRules(counting="rate"))
    assert score_entries(entry, settings=by_rate).rewards.notion.mean == 0.0


def test_the_texts_of_a_problem_are_read_once(monkeypatch):
    read = []
    find = PhraseFinder.find
    monkeypatch.setattr(
        PhraseFinder, "find", lambda self, text: read.append(text) or find(self, text)
    )
    score_entries(FIRST)
    assert sorted(read) == sorted(["Invert it.", *(one["text"] for one in FIRST["rollouts"])])
