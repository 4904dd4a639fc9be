from __future__ import annotations

import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from masa_rewards._equal import decide, to_number
from masa_rewards._normal import normalise, tidy


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        (r"$\left( 1 , 2 \right)$.", "(1,2)"),
        (r"\dfrac12", r"\frac{1}{2}"),
        (r"\frac{a}{b}", r"\frac{a}{b}"),
        (r"\frac12x", r"\frac{1}{2}x"),
        (r"\left. x \right|", r"\left.x|"),
        (r"3 \text{ and } 4", "3,4"),
        (r"\left\{ x \right. .", r"\{x\right."),
        (r"\alpha b", r"\alpha b"),  # not \alphab
        (r"1 \\ 2", r"1\\2"),
        ("12 345", "12345"),
        ("12 34", "12 34"),
        (r"12\,345", "12345"),
        (r"\frac{1}{29,\!322,\!216}", r"\frac{1}{29322216}"),
        (r"\frac{1}{29,322,216}", r"\frac{1}{29322216}"),
        (r"x_{1,200}", r"x_{1,200}"),
        ("1,2345", "1,2345"),
        (r"\sin 45^\circ", r"\sin45^\circ"),  # of a plain number only
        ("operand", "operand"),
        ("{a}^2", "a^2"),
        (r"\{1\}", r"\{1\}"),
    ],
)
def test_normal_forms(text, normal):
    assert normalise(text) == normal


@given(st.text(alphabet="0123456789 ,.\\{}$frac-%^circ()AB"))
def test_a_normal_form_decides_itself(text):
    assert decide(text, text) is True
    assert tidy(tidy(text)) == tidy(text)


def spellings(value: Fraction) -> list[str]:
    above, below = value.numerator, value.denominator
    latex = rf"{{{above}}}{{{below}}}"
    forms = [f"{above}/{below}", rf"\frac{latex}", rf"$\dfrac{latex}$"]
    forms.append(rf"-\frac{{{-above}}}{{{below}}}")
    if below == 1:
        forms += [str(above), f"{above}.0", f"{above:,}", f" {above}. "]
    if below in (1, 2, 4, 5, 8):
        forms.append(str(above / below))
    return forms


@pytest.mark.parametrize(
    "piece", [" ", ".", ",", "{", "\\text{", "\\frac", "1,", " ,", "1 ", "and "]
)
def test_no_text_takes_long(piece):
    start = time.process_time()
    decide("1" + piece * (8_000 // len(piece)) + "x", "2")
    assert time.process_time() - start < 0.5


VALUES = st.builds(Fraction, st.integers(-3000, 3000), st.integers(1, 8))


@given(VALUES, st.data())
def test_every_spelling_of_a_number_is_that_number(value, data):
    one, other = (data.draw(st.sampled_from(spellings(value))) for _ in range(2))
    assert decide(one, other) is True


@given(VALUES, VALUES, st.data())
def test_different_numbers_are_never_taken_for_one(one, other, data):
    left, right = (data.draw(st.sampled_from(spellings(value))) for value in (one, other))
    if one != other:
        assert decide(left, right) is not True


@pytest.mark.parametrize("text", ["", "1/0", "1e5", "x", "٣", "1" * 400, "1.2.3", "--1", "%"])
def test_what_is_no_number(text):
    assert to_number(text) is None


def test_whole_numbers_that_differ_are_wrong_at_once():
    assert decide("1", "2") is False
    assert decide("1/3", "2/3") is False
    assert decide("0.33", "1/3") is None
    assert decide("x", "2") is None
