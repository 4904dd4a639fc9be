r"""Metamorphic rules of the judge: what changes an answer's look only, what changes it.

Each rule is tried on drawn answers, with the real worker.
"""

from __future__ import annotations

import random
import re
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from masa_rewards import AnswerVerifier

FEW = settings(deadline=None, max_examples=12)
MORE = settings(deadline=None, max_examples=40)

WHOLE = st.integers(2, 97)
SMALL = st.integers(2, 9)
LETTER = st.sampled_from("xyzabn")
PRIMES = st.sampled_from([2, 3, 5, 7, 11, 13])

# Of each kind some, no two of them equal.
ANSWERS = [
    "42",
    "-7",
    r"\frac{3}{8}",
    "0.15",
    r"2\sqrt{3}",
    r"\frac{\pi}{6}",
    "x^2+3x-1",
    "3t+2",
    r"\frac{x+1}{x-2}",
    r"1+\sqrt{5}",
    r"\log_2 7",
    "2+3i",
    "(1,-2)",
    "(3,4,5)",
    r"\{1,4,9\}",
    "2,3,5",
    "[2,5)",
    r"(-\infty,3)\cup(4,\infty)",
    "y=2x+1",
    "x>4",
    r"2\le x<7",
    r"\begin{pmatrix}1&2\\3&4\end{pmatrix}",
    r"\text{Monday}",
    r"3\pm\sqrt{7}",
    "3:4:7",
    r"5\pmod{8}",
    r"\frac{\pi}{4}+k\pi",
    r"\emptyset",
]
ANSWER = st.sampled_from(ANSWERS)
PAIR = st.lists(ANSWER, min_size=2, max_size=2, unique=True)


@pytest.fixture(scope="module")
def judge():
    with AnswerVerifier(workers=1) as verifier:

        def is_right(answer, gold):
            verdict = verifier.verify(rf"So it is $\boxed{{{answer}}}$.", gold)
            assert not verdict.failed, verdict
            return verdict.correct

        is_right.verifier = verifier
        yield is_right


DRESSES = {
    "spaces around it": "  {}  ",
    "dollar signs": "${}$",
    "a thin space behind it": r"{}\,",
    "a wide space behind it": r"{} \quad",
    "a stray backslash behind it": "{}\\",
    "a full stop": "{}.",
    "bold mathematics": r"\boldsymbol{{{}}}",
    "a colour": r"\textcolor{{red}}{{{}}}",
    "a size": r"\large {}",
    "display style": r"\displaystyle {}",
    "an underline": r"\underline{{{}}}",
    "a box in the box": r"\boxed{{{}}}",
    "bold of Markdown": "**{}**",
    "an equals sign": "= {}",
    "a sign of conclusion": r"\therefore {}",
    "the sentence in front": r"\text{{The answer is }} {}",
}


@pytest.mark.parametrize("dress", DRESSES.values(), ids=DRESSES)
@FEW
@given(ANSWER)
def test_a_dress_changes_nothing(judge, dress, answer):
    assert judge(dress.format(answer), answer)


@pytest.mark.parametrize("dress", DRESSES.values(), ids=DRESSES)
@FEW
@given(PAIR)
def test_a_dress_makes_nothing_right(judge, dress, pair):
    one, other = pair
    assert not judge(dress.format(one), other)


RESTYLED = {
    "left and right": lambda text: re.sub(r"(?<!\\)\)", r"\\right)", text.replace("(", r"\left(")),
    "dfrac": lambda text: text.replace(r"\frac", r"\dfrac"),
    "long minus": lambda text: text.replace("-", "\u2212"),
    "full width": lambda text: text.translate(str.maketrans("(),=+", "（），＝＋")),
    "double spaces": lambda text: text.replace(" ", "  ").replace("+", " + "),
    "Unicode": lambda text: text.replace(r"\infty", "∞").replace(r"\pi", "π").replace("x^2", "x²"),
    "leq": lambda text: text.replace(r"\le ", r"\leqslant "),
}


@pytest.mark.parametrize("restyle", RESTYLED.values(), ids=RESTYLED)
@pytest.mark.parametrize("answer", ANSWERS)
def test_another_way_to_typeset_it_is_the_same(judge, restyle, answer):
    if restyle(answer) == answer:
        return
    assert judge(restyle(answer), answer)
    assert judge(answer, restyle(answer))


@MORE
@given(ANSWER)
def test_every_answer_is_right_for_itself(judge, answer):
    assert judge(answer, answer)


@settings(deadline=None, max_examples=150)
@given(PAIR)
def test_no_answer_is_right_for_another_in_either_direction(judge, pair):
    one, other = pair
    assert not judge(one, other)
    assert not judge(other, one)


@FEW
@given(WHOLE, WHOLE, LETTER, PRIMES)
def test_the_order_of_terms_does_not_matter(judge, a, b, letter, root):
    terms = [f"{a}{letter}^2", f"{b}{letter}", rf"\sqrt{{{root}}}"]
    gold = "+".join(terms)
    random.Random(a).shuffle(terms)
    assert judge("+".join(terms), gold)
    assert not judge(gold.replace("+", "-", 1), gold)


@FEW
@given(WHOLE, PRIMES, LETTER)
def test_the_order_of_factors_does_not_matter(judge, a, root, letter):
    gold = rf"{a}{letter}\sqrt{{{root}}}"
    assert judge(rf"\sqrt{{{root}}}\cdot {letter}\cdot {a}", gold)
    assert not judge(rf"\sqrt{{{root}}}\cdot {letter}\cdot {a + 1}", gold)


@FEW
@given(st.lists(WHOLE, min_size=2, max_size=5, unique=True), st.randoms(use_true_random=False))
def test_the_order_of_a_set_does_not_matter(judge, members, shuffled):
    gold = rf"\{{{', '.join(map(str, members))}\}}"
    shuffled.shuffle(members)
    assert judge(rf"\{{{','.join(map(str, members))}\}}", gold)
    assert not judge(rf"\{{{','.join(map(str, members[1:]))}\}}", gold)
    assert not judge(rf"\{{{','.join(map(str, [*members, 100]))}\}}", gold)


@FEW
@given(st.lists(WHOLE, min_size=2, max_size=4, unique=True))
def test_the_order_of_a_tuple_matters(judge, members):
    gold = f"({','.join(map(str, members))})"
    assert judge(f"({', '.join(map(str, members))})", gold)
    assert not judge(f"({','.join(map(str, members[::-1]))})", gold)


@FEW
@given(st.lists(WHOLE, min_size=2, max_size=4, unique=True), st.randoms(use_true_random=False))
def test_names_go_before_places(judge, values, shuffled):
    named = [f"{name}={value}" for name, value in zip("abcd", values, strict=False)]
    gold = ", ".join(named)
    assert judge(", ".join(map(str, values)), gold)
    assert not judge(", ".join(map(str, values[::-1])), gold)
    shuffled.shuffle(named)
    assert judge(", ".join(named), gold)


@FEW
@given(st.lists(WHOLE, min_size=2, max_size=3, unique=True))
def test_what_is_counted_is_compared_member_by_member(judge, counts):
    things = ["red", "blue", "green"]
    gold = ", ".join(
        rf"{count} \text{{ {thing}}}" for count, thing in zip(counts, things, strict=False)
    )
    assert judge(", ".join(map(str, counts)), gold)
    assert not judge(str(counts[0]), gold)
    changed = gold.replace(str(counts[-1]), str(counts[-1] + 100))
    assert not judge(changed, gold)
    assert not judge(gold, changed)


@FEW
@given(st.integers(-300, 300), st.sampled_from([2, 4, 5, 8, 10, 20, 25]))
def test_fractions_decimals_and_percents_are_one_value(judge, above, below):
    value = Fraction(above, below)
    decimal = str(float(value))
    fraction = rf"\frac{{{above}}}{{{below}}}"
    assert judge(decimal, fraction)
    assert judge(fraction, decimal)
    assert judge(rf"{float(value * 100)}\%", fraction)
    assert not judge(decimal, rf"\frac{{{above + 1}}}{{{below}}}")


@FEW
@given(SMALL, st.integers(1, 8), st.sampled_from(["", r"\%", r"\pi", " x"]))
def test_mixed_numbers_are_sums(judge, whole, above, behind):
    below = 9
    value = rf"\frac{{{whole * below + above}}}{{{below}}}"
    assert judge(rf"{whole}\frac{{{above}}}{{{below}}}{behind}", value + behind)
    assert judge(value + behind, rf"{whole}\frac{above}{below}{behind}")
    assert not judge(rf"{whole + 1}\frac{{{above}}}{{{below}}}{behind}", value + behind)


@FEW
@given(st.integers(1, 9999), st.integers(-6, 9))
def test_an_e_is_a_power_of_ten(judge, digits, power):
    value = Fraction(digits) * Fraction(10) ** power
    plain = str(value) if value.denominator == 1 else f"{value.numerator}/{value.denominator}"
    assert judge(f"{digits}e{power}", plain)
    assert judge(plain, f"{digits}e{power}")
    assert judge(rf"{digits} \times 10^{{{power}}}", f"{digits}e{power:+03d}")
    assert not judge(f"{digits}e{power + 1}", plain)


@FEW
@given(WHOLE, PRIMES, SMALL)
def test_plus_or_minus_is_both(judge, a, root, below):
    gold = rf"\frac{{{a}\pm\sqrt{{{root}}}}}{{{below}}}"
    one, other = (rf"\frac{{{a}{sign}\sqrt{{{root}}}}}{{{below}}}" for sign in "+-")
    assert judge(f"{one}, {other}", gold)
    assert judge(gold, f"{other}, {one}")
    assert not judge(one, gold)
    assert not judge(gold, one)


@FEW
@given(st.integers(-20, 20), st.integers(1, 20), LETTER)
def test_sets_of_numbers_however_they_are_told(judge, low, width, letter):
    high = low + width
    interval = f"[{low},{high})"
    between = rf"{low} \le {letter} < {high}"
    turned = rf"{high} > {letter} \ge {low}"
    built = rf"\{{{letter} \mid {between}\}}"
    both = rf"{letter} < {high} \text{{ and }} {letter} \ge {low}"
    told = [interval, between, turned, built, both]
    for answer in told[1:]:
        assert judge(interval, answer), answer
        assert judge(answer, built), answer
        assert judge(answer, between), answer
    for answer in told:
        assert not judge(answer, between.replace(r"\le", "<")), answer
        assert not judge(answer, between.replace(str(high), str(high + 1))), answer


@FEW
@given(st.integers(-20, 20), st.integers(1, 20))
def test_or_is_a_union(judge, low, width):
    high = low + width
    gold = rf"x < {low} \text{{ or }} x > {high}"
    assert judge(rf"(-\infty, {low}) \cup ({high}, \infty)", gold)
    assert judge(rf"x > {high} \text{{ or }} x < {low}", gold)
    assert judge(rf"(-∞,{low})∪({high},∞)", gold)
    assert not judge(rf"(-\infty, {low}] \cup ({high}, \infty)", gold)
    assert not judge(rf"({low}, {high})", gold)
    assert not judge(rf"x > {high}", gold)


@FEW
@given(st.integers(1000, 10**7), st.sampled_from([r"\pi", r"\sqrt{2}", "x", "+2", r" \text{ km}"]))
def test_thousands_are_grouped_anywhere(judge, number, behind):
    assert judge(f"{number:,}{behind}", f"{number}{behind}")
    assert judge(f"{number}{behind}", f"{number:,}{behind}")
    assert not judge(f"{number + 1000:,}{behind}", f"{number}{behind}")


@FEW
@given(st.lists(SMALL, min_size=3, max_size=4), SMALL)
def test_a_ratio_has_no_size(judge, terms, factor):
    gold = ":".join(map(str, terms))
    assert judge(":".join(str(term * factor) for term in terms), gold)
    assert not judge(":".join(map(str, [*terms[:-1], terms[-1] + 1])), gold)
    assert not judge(":".join(map(str, terms[:-1])), gold)


@FEW
@given(SMALL, SMALL)
def test_i_is_the_imaginary_unit(judge, a, b):
    assert judge(f"({a}+{b}i)^2", f"{a * a - b * b}+{2 * a * b}i")
    assert judge(f"({a}+{b}i)({a}-{b}i)", str(a * a + b * b))
    assert not judge(f"({a}+{b}i)^2", str(a * a + b * b))


@FEW
@given(st.integers(2, 30), st.integers(0, 60), st.integers(-3, 3))
def test_residues_are_those_of_their_modulus(judge, modulus, residue, times):
    gold = rf"x \equiv {residue} \pmod{{{modulus}}}"
    assert judge(rf"x\equiv {residue + times * modulus} \pmod {{{modulus}}}", gold)
    assert judge(rf"{residue} \ (\mathrm{{mod}}\ {modulus})", gold)
    assert not judge(rf"x \equiv {residue + 1} \pmod{{{modulus}}}", gold)
    assert not judge(rf"x \equiv {residue} \pmod{{{modulus + 1}}}", gold)


@FEW
@given(st.integers(1, 9))
def test_a_period_may_be_told_by_dots_a_bar_or_brackets(judge, digit):
    gold = rf"\frac{{{digit}}}{{9}}"
    for decimal in (
        rf"0.\dot{{{digit}}}",
        rf"0.\bar{{{digit}}}",
        f"0.({digit})",
        f"0.{digit}{digit}{digit}...",
    ):
        assert judge(decimal, gold)
        assert not judge(decimal, rf"\frac{{{digit}}}{{10}}")


@FEW
@given(WHOLE, WHOLE)
def test_a_system_is_its_equations(judge, x, y):
    system = rf"\begin{{cases}} x = {x}, \\ y = {y}. \end{{cases}}"
    assert judge(system, f"({x},{y})")
    assert judge(f"y={y}, x={x}", system)
    assert not judge(system, f"({x},{y + 1})")
    assert not judge(f"x={y + 1}, y={x}", system)


@FEW
@given(SMALL, SMALL)
def test_pieces_go_with_their_conditions(judge, a, b):
    def write(one, other):
        return rf"\begin{{cases}} {one}, & \text{{if }} x \ge 1 \\ {other}, & x < 1 \end{{cases}}"

    gold = write(f"{a}x+{b}", f"x-{a}")
    assert judge(write(f"{b}+{a}x", f"-{a}+x"), gold)
    assert not judge(write(f"x-{a}", f"{a}x+{b}"), gold)
    assert not judge(write(f"{a}x+{b + 1}", f"x-{a}"), gold)


@FEW
@given(WHOLE, st.sampled_from("cdghlmost"))
def test_a_letter_is_no_unit(judge, number, letter):
    assert not judge(f"{number}{letter}", str(number))
    assert not judge(str(number), f"{number}{letter}")
    assert judge(f"2x+{number}{letter}", f"{number}{letter}+2x")
    assert not judge(f"2x+{number}{letter}", f"2x+{number}")


@FEW
@given(LETTER, st.integers(0, 3), st.integers(0, 3))
def test_primes_count(judge, letter, one, other):
    answer, gold = (f"f{chr(39) * primes}({letter})" for primes in (one, other))
    assert judge(answer, gold) == (one == other)


@FEW
@given(WHOLE, st.sampled_from(["million", "dozen", "hundred", "or more", "at most", "squared"]))
def test_words_that_change_a_value_are_no_unit(judge, number, words):
    assert not judge(rf"{number} \text{{ {words}}}", str(number))
    assert not judge(str(number), rf"{number} \text{{ {words}}}")
    assert judge(rf"{number}\text{{ {words}}}", rf"{number} \text{{ {words}}}")


@FEW
@given(WHOLE, st.sampled_from(["£{}", "{}€", r"\$ {}", r"\text{{Rs. }} {}", "{} USD", "¥{}"]))
def test_a_currency_may_be_left_out(judge, amount, written):
    assert judge(written.format(amount), str(amount))
    assert judge(str(amount), written.format(amount))
    assert not judge(written.format(amount), str(amount + 1))
    assert not judge(f"£{amount}", f"€{amount}")


@FEW
@given(ANSWER, ANSWER)
def test_a_box_in_a_thought_does_not_count(judge, thought, answer):
    text = rf"<think>It may be $\boxed{{{thought}}}$.</think> So $\boxed{{{answer}}}$"
    assert judge.verifier.verify(text, answer).correct
    assert judge.verifier.verify(text, thought).correct == (thought == answer)
    open_end = rf"<think>So it is \boxed{{{answer}}}"
    assert judge.verifier.verify(open_end, answer).status == "unparsable"


@FEW
@given(ANSWER)
def test_a_missing_raw_string_costs_nothing(judge, answer):
    broken = rf"\boxed{{{answer}}}".replace(r"\b", "\x08").replace(r"\f", "\x0c")
    assert judge.verifier.verify(f"So {broken}", answer).correct


@FEW
@given(st.sampled_from(["k", "n"]), st.sampled_from([3, 4, 6]))
def test_where_a_letter_is_from_may_be_left_out(judge, letter, below):
    bare = rf"\frac{{\pi}}{{{below}}}+{letter}\pi"
    told = rf"x=\frac{{\pi}}{{{below}}}+{letter}\pi, {letter} \in \mathbb{{Z}}"
    assert judge(bare, told)
    assert judge(told, bare)
    assert not judge(told.replace(f"{{{below}}}", "{5}"), told)


@FEW
@given(
    WHOLE,
    st.sampled_from(
        [
            "**Answer**: {}",
            "### Answer\n\n{}",
            "<answer>{}</answer>",
            "#### {}",
            "The answer is: **{}**.",
        ]
    ),
)
def test_anchors_are_read_and_a_box_goes_before(number, written):
    with AnswerVerifier(extraction="anchored") as verifier:
        assert verifier.verify(written.format(number), str(number)).correct
        assert not verifier.verify(written.format(number), str(number + 1)).correct
        boxed = written.format(number + 1) + rf" \boxed{{{number}}}"
        assert verifier.verify(boxed, str(number)).correct


@FEW
@given(st.lists(WHOLE, min_size=2, max_size=3, unique=True))
def test_several_boxes_are_a_list_where_a_list_is_asked_for(judge, members):
    boxes = ", ".join(rf"\boxed{{{member}}}" for member in members)
    whole = ", ".join(map(str, members))
    assert judge.verifier.verify(f"So $x$ is {boxes}.", whole).correct
    assert judge(whole, boxes)
    assert not judge(str(members[-1]), boxes)
    assert not judge.verifier.verify(f"So $x$ is {boxes}.", str(members[0])).correct
    assert judge.verifier.verify(f"So $x$ is {boxes}.", str(members[-1])).correct  # the last counts
