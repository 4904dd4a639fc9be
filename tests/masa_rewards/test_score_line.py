from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from masa_rewards import MetaPrediction
from masa_rewards.score.line_reader import LineError, read_line

GOOD = {
    "problem": "p",
    "rollouts": [{"text": "t", "length": 1, "correct": True}],
    "predictions": ["text", {"pass_rate": 0.5}],
}


def test_a_line_is_read():
    line = read_line(json.dumps({**GOOD, "id": 7, "model": {"name": "any"}}))
    assert line.problem == "p"
    assert line.rollouts[0].correct is True
    assert line.predictions == ("text", MetaPrediction(pass_rate=0.5))
    assert line.gold == ""


def test_bytes_may_begin_with_a_mark_of_their_order():
    assert read_line(b"\xef\xbb\xbf" + json.dumps(GOOD).encode()).problem == "p"


@pytest.mark.parametrize(
    ("answer", "gold"), [("4", "4"), (4, "4"), (0.5, "0.5"), (" 4 ", "4"), (None, ""), (" ", "")]
)
def test_the_answer_may_be_a_number(answer, gold):
    assert read_line(json.dumps({**GOOD, "answer": answer})).gold == gold


def test_a_prediction_comes_back_from_its_dump():
    prediction = MetaPrediction(length=5, missing={"pass_rate": "not_integer"})
    line = read_line(json.dumps({**GOOD, "predictions": [prediction.model_dump()]}))
    assert line.predictions == (prediction,)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "^not JSON: Expecting"),
        (b"\xff{}", "^not UTF-8: byte 0 is 0xff"),
        ("[" * 200_000, "^not JSON that can be read: nested too deeply"),
        ('{"problem": ' + "9" * 5000, "^not JSON"),
        ("[1, 2]", "one object a line.*this line holds a list$"),
        ("null", "holds a NoneType"),
    ],
    ids=lambda value: str(value)[:12],
)
def test_what_is_no_object_is_refused(line, reason):
    with pytest.raises(LineError, match=reason):
        read_line(line)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"problem": 5}, "problem: .*string, got 5"),
        ({"rollouts": None}, "rollouts: .*got None"),
        ({"rollouts": [{"text": "t", "length": -1, "correct": True}]}, r"rollouts.0.length: .*-1"),
        ({"rollouts": [{"text": "t", "length": 1.5, "correct": True}]}, "rollouts.0.length"),
        ({"rollouts": [{"text": "t", "length": 1, "correct": 1}]}, "rollouts.0.correct: .*got 1"),
        ({"rollouts": [{"length": 1, "correct": True}]}, "rollouts.0.text: Field required$"),
        ({"predictions": [5]}, "predictions.0: a prediction is the text .*got 5$"),
        ({"predictions": [{"pass_rate": 5}]}, "predictions.0.object.pass_rate: .*got 5$"),
        ({"predictions": [{"passrate": 0.5}]}, "predictions.0.object.passrate: Extra"),
        ({"answer": True}, "answer"),
    ],
)
def test_what_is_wrong_is_said(change, reason):
    with pytest.raises(LineError, match=reason):
        read_line(json.dumps({**GOOD, **change}))


def test_of_many_faults_three_are_told_and_a_long_value_is_cut():
    rollouts = [{"text": ["x" * 10_000], "length": 1, "correct": True}] * 5
    with pytest.raises(LineError, match="and 2 more$") as caught:
        read_line(json.dumps({**GOOD, "rollouts": rollouts}))
    assert len(str(caught.value)) < 500


def test_a_rollout_of_which_nothing_is_known_needs_an_answer():
    unsaid = {**GOOD, "rollouts": [GOOD["rollouts"][0], {"text": "t", "length": 1}]}
    with pytest.raises(LineError, match="^rollouts.1 has no `correct`, and the line no `answer`"):
        read_line(json.dumps(unsaid))
    assert read_line(json.dumps({**unsaid, "answer": "4"})).rollouts[1].correct is None
    # Whoever says null has tried: it is counted, not refused.
    null = {**GOOD, "rollouts": [{"text": "t", "length": 1, "correct": None}]}
    assert read_line(json.dumps(null)).rollouts[0].correct is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.text()
    | st.binary()
    | JSON.map(json.dumps)
    | st.fixed_dictionaries(
        {}, optional=dict.fromkeys(["problem", "rollouts", "predictions", "answer"], JSON)
    ).map(json.dumps)
)
def test_any_line_is_read_or_refused(line):
    with contextlib.suppress(LineError):
        assert read_line(line).problem is not None
