from __future__ import annotations

import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from masa_rewards.verify.equality.distinctions import is_different_in_form
from masa_rewards.verify.equality.normal_form import normalise_answer, tidy_answer
from masa_rewards.verify.equality.numbers import to_number
from masa_rewards.verify.equality.shortcut import decide_at_once
from masa_rewards.verify.equality.units import has_different_units, split_unit
from masa_rewards.verify.options import read_choice


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
    assert normalise_answer(text) == normal


@given(st.text(alphabet="0123456789 ,.\\{}$frac-%^circ()AB"))
def test_a_normal_form_decides_itself(text):
    assert decide_at_once(text, text) is True
    assert tidy_answer(tidy_answer(text)) == tidy_answer(text)


def spell_fraction(value: Fraction) -> list[str]:
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
    decide_at_once("1" + piece * (8_000 // len(piece)) + "x", "2")
    assert time.process_time() - start < 0.5


VALUES = st.builds(Fraction, st.integers(-3000, 3000), st.integers(1, 8))


@given(VALUES, st.data())
def test_every_spelling_of_a_number_is_that_number(value, data):
    one, other = (data.draw(st.sampled_from(spell_fraction(value))) for _ in range(2))
    assert decide_at_once(one, other) is True


@given(VALUES, VALUES, st.data())
def test_different_numbers_are_never_taken_for_one(one, other, data):
    left, right = (data.draw(st.sampled_from(spell_fraction(value))) for value in (one, other))
    if one != other:
        assert decide_at_once(left, right) is not True


@pytest.mark.parametrize("text", ["", "1/0", "1e5", "x", "٣", "1" * 400, "1.2.3", "--1", "%"])
def test_what_is_no_number(text):
    assert to_number(text) is None


def test_numbers_that_differ_are_wrong_at_once():
    assert decide_at_once("1", "2") is False
    assert decide_at_once("1/3", "2/3") is False
    assert decide_at_once("0.33", "1/3") is False
    assert decide_at_once("x", "2") is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("0.333333", "1/3", True),
        ("0.33333", "1/3", False),  # five places
        ("0.3333334", "1/3", False),
        ("333333.333333", "1000000/3", True),
        ("0.0000003", "1/3000000", False),  # one digit that counts
        ("0.3333333", "0.333333", True),
        ("0.333334", "0.333333", False),
        (r"0.\overline{9}", "1", True),
        (r"-2.3\overline{45}", "-2322/990", True),
        (r"33.333333\%", "1/3", True),
        ("28", "28_9", False),
        ("26", "28_9", True),
        ("9_9", "9", False),
        ("2=2=3", "3", False),
        ("0.5=1/2", "1/2", None),  # a chain of one value is for computer algebra
    ],
)
def test_numbers_by_hand(one, other, same):
    assert decide_at_once(one, other) is same


@given(VALUES, st.integers(0, 12))
def test_a_decimal_stands_only_for_what_it_is_rounded_from(value, places):
    scale = 10**places
    nearest = round(value * scale)
    sign, digits = "-" * (nearest < 0), f"{abs(nearest):0{places + 1}d}"
    decimal = f"{sign}{digits[: len(digits) - places]}.{digits[len(digits) - places :]}"
    wanted = f"{value.numerator}/{value.denominator}"
    close = places >= 6 and abs(nearest) >= 10**5
    assert decide_at_once(decimal, wanted) is (Fraction(nearest, scale) == value or close)


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        (r"5 \text{ km}", "5", "km"),
        (r"x^2\,\mathrm{m/s}", "x^2", "m/s"),
        (r"12 \text{ cubic feet}", "12", "ft^3"),
        (r"12 \text{ cm}^2", "12", "cm^2"),
        (r"12 \text{ cm^{2}}", "12", "cm^2"),
        (r"\frac{1}{2}\mbox{ mile per hour}.", r"\frac{1}{2}", "mph"),
        ("5 dollars", "5", "dollar"),
        ("5km", "5", "km"),
        ("5m", "5m", None),  # a variable, as far as one can see
        (r"5 \text{ apples}", r"5 \text{ apples}", None),
        (r"\text{ km}", r"\text{ km}", None),  # nothing else
        (r"\text{5 km}", "5", "km"),
        (r"\text{6 PM}", r"\text{6 PM}", None),
        ("min", "min", None),
    ],
)
def test_units(text, value, unit):
    assert split_unit(text) == (value, unit)


def test_units_that_differ():
    assert has_different_units("5 m", "5 km")
    assert has_different_units(r"5 \text{ m}", "5 km")
    assert not has_different_units("5 m", r"5 \text{ metres}")
    assert not has_different_units("5 m", "5")
    assert not has_different_units("5 m", "5 s")  # two variables, as far as one can see


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("B", ("B", "")),
        ("(B)", ("B", "")),
        ("(B)12", ("B", "12")),
        ("B)12", ("B", "12")),
        ("B:x+1", ("B", "x+1")),
        ("Option(c)", ("C", "")),
        ("(A)(B)", None),
        ("(A),(B)", None),
        ("(A)or(B)", None),
        ("K", None),
        ("AB", None),
        ("(1,2)", None),
    ],
)
def test_choices(text, choice):
    assert read_choice(text) == choice


@pytest.mark.parametrize(
    ("one", "other", "differs"),
    [
        ("(1,2)", r"\{1,2\}", True),
        ("[1,2)", "(1,2)", True),
        (r"x\in(1,2)", r"\left[1,2\right]", True),
        ("(1,2),(3,4)", r"\{1,2\}", False),  # not in brackets as a whole
        ("1,2", "(1,2)", False),
        ("(1+2)", "[1+2]", False),  # no list
        (r"x<1 \text{ or } x>2", r"x<1 \land x>2", True),
        ("x=1 or x=2", "x=1 and x=2", False),  # solutions, listed
        ("5'", "5''", True),
        ("5'", "5", True),
        (r"5 \text{ (or 6)}", "5", True),
        (r"5 \text{ m/s^2}", "5", False),
        (r"\text{not 6}", "5", False),  # all of it is words
    ],
)
def test_what_differs_for_sure(one, other, differs):
    assert is_different_in_form(one, other) is differs


@pytest.mark.parametrize("piece", ["(", "(,", r"\{", "=1", r"\in", "'", r"\text{1}", "5 km"])
def test_no_text_takes_the_other_rules_long(piece):
    text = "1" + piece * (8_000 // len(piece))
    start = time.process_time()
    is_different_in_form(text, text)
    split_unit(text)
    read_choice(text)
    assert time.process_time() - start < 0.5
