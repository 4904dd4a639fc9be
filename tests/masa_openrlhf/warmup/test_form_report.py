"""How much can be read, and what is said of it."""

import io

import pytest
from masa_openrlhf.eval.engine.messages import GeneratedAnswer
from masa_openrlhf.warmup.form_report import (
    FormShares,
    measure_form,
    render_shares,
    suggest_next,
)
from masa_openrlhf.warmup.observations import ObservedProblem
from masa_rewards import MetaPrompt, Verdict
from rich.console import Console

from tests.masa_openrlhf.warmup.observed import observe

PROMPT = MetaPrompt(min_length=4, max_length=512)
WHOLE = '{"math_notion": ["sum"], "pass_rate": 4, "solution_length": 30}'


def answer(text, *, truncated=False):
    return GeneratedAnswer(text=text, tokens=9, truncated=truncated)


def measure():
    base = observe(1, 0)
    mixed = ObservedProblem(
        base.problem,
        base.answers,
        (
            Verdict(status="correct", answer="1"),
            Verdict(status="incorrect", answer="2"),
            Verdict(status="unparsable", answer=None),
            Verdict(status="timeout", answer="3"),
        ),
    )
    predictions = [answer(WHOLE), answer("No idea."), answer('{"pass_rate": 3}', truncated=True)]
    return measure_form([mixed, observe(2, 4), observe(3, 0)], predictions, PROMPT)


def test_shares_are_counted():
    shares = measure()
    assert (shares.problems, shares.answers, shares.predictions) == (3, 12, 3)
    assert shares.readable_answers == pytest.approx(11 / 12)
    assert shares.readable_parts == pytest.approx(
        {"length": 1 / 3, "pass_rate": 2 / 3, "notions": 1 / 3}
    )
    assert shares.readable_predictions == pytest.approx(4 / 9)
    assert shares.truncated_answers == 0
    assert shares.truncated_predictions == pytest.approx(1 / 3)
    assert shares.pass_rates == {0.0: 1, 1 / 3: 1, 1.0: 1}
    assert shares.pass_at_1 == pytest.approx(4 / 9)
    assert shares.mixed == pytest.approx(1 / 3)
    assert FormShares.model_validate_json(shares.model_dump_json()) == shares


def test_without_predictions_their_parts_are_not_there():
    shares = measure_form([observe(1, 2)], [], PROMPT)
    assert (shares.predictions, shares.readable_parts) == (0, {})
    assert shares.readable_predictions is None
    assert shares.reaches(0.95)


def test_the_aim_is_for_each_share():
    shares = measure()
    assert shares.reaches(0.3)
    assert not shares.reaches(0.5)


def shares_of(**changes):
    good = {
        "problems": 10,
        "answers": 40,
        "readable_answers": 1.0,
        "truncated_answers": 0.0,
        "predictions": 40,
        "readable_parts": {"pass_rate": 1.0, "length": 1.0, "notions": 1.0},
        "truncated_predictions": 0.0,
        "pass_rates": {0.0: 2, 0.5: 6, 1.0: 2},
    }
    return FormShares(**{**good, **changes})


def test_nothing_is_said_where_all_is_well():
    assert suggest_next(shares_of(), 0.95) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"readable_answers": 0.9}, "more passes (--warmup.epochs)"),
        ({"readable_parts": {"length": 0.9}}, "less than 95% can be read"),
        ({"truncated_answers": 0.3}, "30% of the solutions are cut at solution.max_tokens"),
        ({"truncated_predictions": 0.3}, "cut at meta.max_tokens"),
        ({"pass_rates": {0.0: 10}}, "too hard: take easier problems"),
        ({"pass_rates": {1.0: 10}}, "too easy: take harder ones"),
    ],
)
def test_each_lack_has_its_way_out(changes, said):
    (found,) = suggest_next(shares_of(**changes), 0.95)
    assert said in found


def test_the_table_has_both_sides():
    out = io.StringIO()
    nothing = shares_of(readable_answers=0.01, pass_rates={0.0: 10})
    Console(file=out, width=100).print(render_shares(nothing, shares_of()))
    lines = {line.split("  ")[0]: line.split()[-1] for line in out.getvalue().splitlines()}
    assert "1.0%" in out.getvalue()
    assert lines["readable answers"] == "100.0%"
    assert lines["solved sometimes"] == "60.0%"
    assert "0.5 x 6" in out.getvalue()
