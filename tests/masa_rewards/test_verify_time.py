"""No text keeps the caller's own process, which has no time limit, longer than is due."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from masa_rewards import AnswerVerifier, MetaPrompt
from masa_rewards.notions.phrases import find_phrases, to_phrase
from masa_rewards.verify.case import read_case
from masa_rewards.verify.extraction import find_answer
from masa_rewards.verify.notation.rewrite import LONGEST, rewrite_notation
from masa_rewards.verify.targets import read_target

# Each is repeated: bait for a pattern that tries every part of a run, or every pair of parts.
PIECES = [
    " ", "\n", "\t", "~", r"\,", r"\ ", ",", ", ", ";", "and ", "or ", "{", "}", "(", ")",
    "[", "|", "$", "$ ", "'", "*", "**", "_", "#", "####", "# Answer ", "**Answer",
    "answer: ", "answer is ", "<answer>", "</answer>", "<think>", "</think>",
    "<|channel|>analysis", "\\", r"\boxed", r"\boxed{", r"\boxed{1}, ", r"\boxed{1}\text{ ",
    r"\text{", r"\text{ ", r"\text{a} ", r"\text{a: } ", "a: ", r"\frac", r"\frac{",
    r"\frac1", r"1\frac", r"1 ", "1", "1,", "1,000", "1, ", "1.", "0.1", ".1", "1e", "1e9 ",
    r"\dot", r"1\dot{1}", "(1)", "1:", "1:2:", "a=", "a=1,", "a, ", "a a ", "all ", r"\in ",
    r"k\in\mathbb{Z},", r"\mathbb{", r"\pm", r"1\pm2,", r"\mp\pm", r"x\pm", "<", "x<",
    "<1<", r"\le ", r"\cup", r"\{", r"\{x|", r"\mid ", r"\begin{cases}", r"\begin{cases}\\",
    r"&\\", r"\end{cases}", r"\color{red}", r"\textcolor{red}{", r"\large", r"\bf ",
    r"\mathrm{e}", "€", "Rs. ", "5 km ", "5 h 3 ", "°", r"^\circ", "^{", "_{",
    r"_{\text{max}}", "²", "√", "½", "（", "\u200b", "th", r"^{\text{th}}", r"\pmod ",
    r"\pmod{7}", r"\equiv ", "mod ", "=", "= ", r"\therefore ", "half ", "or more ",
    "at least 5 ", "million ", "A) ", "(A)", "\x08oxed{", "because ", " , ", "\ud800",
]  # fmt: skip
SHORT, LONG = 10_000, 20_000


def judge_case(text):
    read_case(rf"\boxed{{{text}}}", "5", "anchored")


def judge_solution(text):
    read_case(text, "5", "anchored")


def judge_by_target(text):
    read_case(r"\boxed{5 \text{ km}, 3}", text + "5", "boxed")


READERS = {
    "an answer": judge_case,
    "a solution": judge_solution,
    "a target": judge_by_target,
    "a target to check": read_target,
    "an extraction": lambda text: find_answer(text, "anchored"),
    "a notation": lambda text: rewrite_notation(text[:LONGEST]),
    "a prediction": MetaPrompt().parse,
    "a notion": to_phrase,
    "a text with notions": lambda text: find_phrases(text, [("vieta",), ("sum", "of", "roots")]),
}


def measure(read, text):
    """The least of three: what else runs only adds."""
    times = []
    for number in range(3):
        varied = text + str(number)  # nothing is remembered from the time before
        start = time.process_time()
        read(varied)
        times.append(time.process_time() - start)
    return min(times)


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_twice_the_text_takes_twice_the_time(reader):
    """At most 3 times: what is quadratic takes 4 times. What takes no time is not measured."""
    slow = {}
    for piece in PIECES:
        longer = measure(reader, piece * (LONG // len(piece)))
        if longer < 0.02:
            continue
        shorter = measure(reader, piece * (SHORT // len(piece)))
        for _ in range(3):  # the least of more: what else runs only adds
            if longer <= 3 * shorter:
                break
            longer = min(longer, measure(reader, piece * (LONG // len(piece))))
            shorter = min(shorter, measure(reader, piece * (SHORT // len(piece))))
        else:
            slow[piece] = (shorter, longer)
    assert slow == {}


@pytest.mark.parametrize("piece", PIECES)
def test_no_answer_of_the_longest_kind_that_is_rewritten_takes_long(piece):
    """Where a pattern is not linear, its text is short: 100 times the time of a plain one."""
    text = piece * (LONGEST // len(piece))
    plain = measure(judge_case, "x + " * (LONGEST // 4))
    assert measure(judge_case, text) < 100 * max(plain, 0.0005)


ANY = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
    st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)), max_size=12).map("".join),
)


@pytest.fixture(scope="module")
def verifier():
    with AnswerVerifier(workers=1, timeout=20.0, extraction="anchored") as shared:
        yield shared


@settings(deadline=None, max_examples=300)
@given(ANY, ANY)
def test_any_text_beside_any_target_has_a_verdict(verifier, text, gold):
    verdict = verifier.verify(rf"\boxed{{{text}}}", gold + "5")
    assert verdict.status in ("correct", "incorrect", "unparsable", "timeout", "error")
    assert verifier.verify(text, gold + "5").status != "error"


@settings(deadline=None, max_examples=300)
@given(ANY)
def test_any_target_can_be_checked(verifier, target):
    fault = verifier.check_target(target)
    assert fault is None or fault in (
        "blank", "placeholder", "too long", "sentence", "unreadable", "never equal", "too slow"
    )  # fmt: skip
    if fault == "blank":
        assert verifier.check_target(f"{target} ") == "blank"


@settings(max_examples=400)
@given(ANY)
def test_any_text_is_read(text):
    for extraction in ("boxed", "anchored"):
        found = find_answer(text, extraction)
        assert found is None or found
    rewritten = rewrite_notation(text)
    assert isinstance(rewritten, str)
    prediction = MetaPrompt().parse(text)
    assert prediction.pass_rate is None or 0 <= prediction.pass_rate <= 1
