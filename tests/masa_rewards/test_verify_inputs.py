r"""What stands at the door of the judge: taken, or refused with a sentence that says what to do."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from masa_rewards import AnswerVerifier, MetaPrompt
from masa_rewards.verify.inputs import restore_backslashes


class NumpyLike:
    """A scalar as numpy has them: no subclass of the number that it holds."""

    shape = ()

    def __init__(self, number):
        self._number = number

    def item(self):
        return self._number


@pytest.fixture(scope="module")
def verifier():
    with AnswerVerifier(workers=1) as shared:
        yield shared


@pytest.mark.parametrize(
    ("gold", "answer"),
    [
        (42, "42"),
        (42.0, "42"),
        (0.5, r"\frac12"),
        (1e-7, r"10^{-7}"),
        (Fraction(1, 3), r"\frac13"),
        (Decimal("0.10"), "0.1"),
        (NumpyLike(42), "42"),
        (NumpyLike(0.5), "0.5"),
        (NumpyLike("x"), "x"),
    ],
)
def test_numbers_are_right_answers(verifier, gold, answer):
    assert verifier.verify(rf"\boxed{{{answer}}}", gold).correct
    assert not verifier.verify(r"\boxed{7}", gold).correct
    assert verifier.check_target(gold) is None


def test_scalars_of_numpy_are_right_answers(verifier):
    numpy = pytest.importorskip("numpy")
    for gold in (numpy.int64(42), numpy.float32(42), numpy.float64(42), numpy.str_("42")):
        assert verifier.verify(r"\boxed{42}", gold).correct


@pytest.mark.parametrize("gold", [None, True, b"42", ["42"], {"answer": "42"}, 1j, object()])
def test_what_is_no_right_answer_is_refused_with_a_sentence(verifier, gold):
    with pytest.raises(TypeError, match=r"a right answer is text, as .*, or a number"):
        verifier.verify(r"\boxed{42}", gold)
    with pytest.raises(TypeError, match="a right answer is text"):
        verifier.check_targets(["1", gold])
    with pytest.raises(TypeError, match="a right answer is text"):
        verifier.verify_many([(r"\boxed{42}", gold)])


@pytest.mark.parametrize("gold", [float("nan"), float("inf"), Decimal("NaN")])
def test_a_number_that_is_none_is_refused(verifier, gold):
    with pytest.raises(ValueError, match="a finite number, or text"):
        verifier.verify(r"\boxed{42}", gold)


@pytest.mark.parametrize("text", [None, 42, b"\\boxed{42}", ["a"], 0.5])
def test_what_is_no_text_is_refused_with_a_sentence(verifier, text):
    with pytest.raises(TypeError, match="verify takes the text of a solution first"):
        verifier.verify(text, "42")
    with pytest.raises(TypeError, match="parse takes the text of one answer"):
        MetaPrompt().parse(text)


def test_arguments_the_wrong_way_round_are_told(verifier):
    verdict = verifier.verify("42", r"So it is \boxed{42}.")
    assert verdict.status == "unparsable"
    assert "the target has one: the text comes first, the right answer second" in verdict.detail
    assert "target" not in verifier.verify("I do not know", "42").detail


@pytest.mark.parametrize(
    ("text", "gold"),
    [
        ("So \boxed{42}.", "42"),
        ("So \boxed{\frac{1}{2}}.", "0.5"),
        (r"\boxed{0.5}", "\frac{1}{2}"),
        ("\boxed{2\times 3}", "6"),
        ("\fbox{\text{Monday}}", "Monday"),
        ("\boxed{\\left(1,2\right)}", "(1,2)"),
    ],
)
def test_a_string_that_should_have_been_raw_is_put_right(verifier, text, gold):
    assert verifier.verify(text, gold).correct


@given(st.text(alphabet="abc{}\\\t\n\r rtf"))
def test_text_without_a_broken_box_stays_as_it_is(text):
    assert restore_backslashes(text) == text
