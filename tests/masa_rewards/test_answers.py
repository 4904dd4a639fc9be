from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from masa_rewards.verify.extraction import find_answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"\boxed{5}", "5"),
        (r"so $\boxed{ \frac{1}{2} }$.", r"\frac{1}{2}"),
        (r"\boxed{1} no, \boxed{2} \boxed{", "2"),  # the last that balances
        (r"\boxed{\{1, 2\}}", r"\{1, 2\}"),
        (r"\boxed{\left\{ x \right.}", r"\left\{ x \right."),  # an escaped brace is none
        (r"\fbox{7}", "7"),
        (r"\boxed 5", "5"),
        (r"$\boxed 42$.", "42"),
        (r"\boxed  {a}", "a"),
        (r"\boxed{\boxed{3}}", "3"),
        (r"\boxed{\fbox{ \boxed{3} }}", "{3}"),
        (r"\boxed{6 \boxed{5}}", "6 {5}"),  # the outer box is the answer
        (r"\boxed{\boxed{1} + \boxed 2}", "{1} + 2"),
        (r"\boxed{6 \boxed{5}", "5"),  # the outer one does not end
        (r"\boxed{1}" * 50 + r"\boxed{2}", "2"),
        (r"\boxedly{5}", None),
        (r"\boxed{}", None),
        (r"\boxed{1} \boxed{}", None),  # the last one is blank: the answer is not the one before
        (r"\boxed{5", None),
        ("the answer is 5", None),
        ("", None),
        (r"\boxed{5}" + " " * 8_000, "5"),
        (r"\boxed{5}" + " " * 8_192, None),
    ],
)
def test_the_last_box(text, answer):
    assert find_answer(text, "boxed") == answer


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("The answer is 5.", "5"),
        ("So the final answer is: $x = 3$. I hope", "$x = 3$"),
        ("**Answer:** 12", "12"),
        ("answer: 1.5\nThank you", "1.5"),
        ("The answer is 4. No, the answer is 5.", "5"),
        ("#### 72", "72"),
        (r"The answer is 5, \boxed{6}", "6"),  # a box goes first
        ("I have no answer", None),
        ("5", None),
    ],
)
def test_the_last_anchor_where_nothing_is_boxed(text, answer):
    assert find_answer(text, "anchored") == answer


@pytest.mark.parametrize("piece", [r"\boxed{", "{", "}", "\\", r"\boxed", "answer is ", "####"])
def test_no_text_takes_long(piece):
    start = time.process_time()
    find_answer(piece * 100_000, "anchored")
    assert time.process_time() - start < 1.0


@given(st.text(alphabet="abc12{}\\$ "), st.text(alphabet="abc ,.$"))
def test_what_is_boxed_last_is_found(before, after):
    assert find_answer(before + r" \boxed{x\{y{z}} " + after, "boxed") == r"x\{y{z}"
