from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from masa_rewards import MetaPrediction, MetaPrompt
from masa_rewards.missing import COMPONENTS, REASONS
from pydantic import ValidationError

CASES = json.loads(Path(__file__).with_name("parser_cases.json").read_text(encoding="utf-8"))
PROMPT = MetaPrompt()
NO_JSON = dict.fromkeys(COMPONENTS, "no_json")
ANSWER = '{"math_notion": ["sum", "a b"], "pass_rate": 5, "solution_length": 500}'


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_reads_what_models_write(case):
    prediction = PROMPT.parse(case["text"])
    assert prediction.pass_rate == case["pass_rate"]
    assert prediction.length == case["length"]
    notions = None if prediction.notions is None else list(prediction.notions)
    assert notions == case["notions"]
    assert dict(prediction.missing) == case["missing"]


def test_the_table_has_every_reason_that_the_parser_can_give():
    given_reasons = {reason for case in CASES for reason in case["missing"].values()}
    assert given_reasons == set(REASONS) - {"not_given"}


def test_only_the_end_of_an_answer_is_read():
    assert PROMPT.parse(ANSWER + "x" * 19_000).pass_rate == 0.625
    assert dict(PROMPT.parse(ANSWER + "x" * 20_000).missing) == NO_JSON


@pytest.mark.parametrize(
    "text",
    [
        "{" * 1_000_000,
        '{"pass_rate":' * 80_000,
        '{"a":[' * 3000 + "1," * 5000,
        '{"a":1,' * 64 + '"b":1,' * 3000,
        '{"a":["x",' * 64 + '"b",' * 4500,
        '{"a":"' + '" ' * 9000,
        '{"a":"' + "\\" * 19_000,
        "{" + " " * 19_990,
        '{"pass_rate":' + "[" * 19_000,
        '{"pass_rate":' + "({a:" * 4_000,
        '{"pass_rate":' + "9" * 19_000 + "}",
        '{"pass_rate":' + "-" * 19_000 + "}",
    ],
    ids=lambda text: text[:12],
)
def test_no_text_takes_long(text):
    start = time.process_time()
    prediction = PROMPT.parse(text)
    assert time.process_time() - start < 2.0
    assert prediction.missing.keys() == set(COMPONENTS)


ALPHABET = st.characters() | st.characters(categories=["Cs", "Cc"])
BRACKETS = ["{", "}", "[", "]", "(", ")", "\\{", "</meta>"]
SIGNS = ['"', "'", ",", ":", "\\", "//", "#", "-", "\n", " ", "\x00", "\ud800", "\u201c"]
VALUES = ["5", "1e9", "0.5", "NaN", "true", "null", "pass_rate", '"sum"']
KEYS = ['"pass_rate":', '"solution_length":', '"math_notion":']
TOKENS = st.sampled_from(BRACKETS + SIGNS + VALUES + KEYS)


@st.composite
def draw_mutated(draw):
    """A good answer with a few pieces put in, taken out or repeated."""
    text = ANSWER
    for _ in range(draw(st.integers(1, 5))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 12)))
        text = text[:start] + draw(TOKENS | st.just(text[start:end] * 2)) + text[end:]
    return text


@given(st.text(ALPHABET) | st.lists(TOKENS).map("".join) | draw_mutated())
def test_any_text_is_read_and_what_is_missing_has_a_reason(text):
    prediction = PROMPT.parse(text)
    absent = {name for name in COMPONENTS if getattr(prediction, name) is None}
    assert prediction.missing.keys() == absent
    assert "not_given" not in prediction.missing.values()
    assert prediction.pass_rate is None or (prediction.pass_rate * 8).is_integer()
    assert prediction.length is None or 128 <= prediction.length <= 8192


PREDICTIONS = st.builds(
    MetaPrediction,
    pass_rate=st.none() | st.integers(0, 8).map(lambda count: count / 8),
    length=st.none() | st.integers(128, 8192),
    notions=st.none()
    | st.lists(st.text(ALPHABET, min_size=1), min_size=1)
    .map(tuple)
    .filter(lambda notions: MetaPrediction(notions=notions).notions),
)


@given(PREDICTIONS, st.sampled_from(["", "<meta>{1}</meta>\n", "So: $\\boxed{", "```json\n"]))
def test_what_is_written_is_read_back(prediction, before):
    text = PROMPT.format(prediction)
    back = PROMPT.parse(before + text)
    for name in COMPONENTS:
        assert getattr(back, name) == getattr(prediction, name)
    if not prediction.missing:
        assert back == prediction
    assert json.loads(text).keys() <= {"math_notion", "pass_rate", "solution_length"}


@pytest.mark.parametrize("notion", ["0'=", "x': 1", "n' = n", "a'b=c'"])
def test_a_notion_that_looks_like_a_key_is_read_back(notion):
    prediction = MetaPrediction(pass_rate=0.5, notions=(notion, "sum"))
    assert PROMPT.parse(PROMPT.format(prediction)).notions == (notion, "sum")
    # A list whose bracket is missing still ends where the next key begins.
    assert PROMPT.parse('{"math_notion": ["sum", "pass_rate": 5}').notions == ("sum",)


def test_what_is_written_by_hand():
    prediction = MetaPrediction(pass_rate=0.6, length=90, notions=("sum", "a b"))
    # 0.6 of 8 is 4.8; 90 tokens cannot be stated
    expected = '{"math_notion": ["sum", "a b"], "pass_rate": 5, "solution_length": 128}'
    assert PROMPT.format(prediction) == expected
    assert PROMPT.format(MetaPrediction(length=9000)) == '{"solution_length": 8192}'


def test_the_wording_states_the_contract():
    text = MetaPrompt(max_length=4096).render("What is 1 + 1?")
    for part in ["<meta>", "</meta>", '"math_notion"', '"pass_rate"', '"solution_length"']:
        assert part in text
    for part in ["from 0 to 8", "from 128 to 4096", "\nWhat is 1 + 1?\n"]:
        assert part in text


def test_the_example_in_the_wording_is_no_prediction():
    assert PROMPT.parse(PROMPT.render("p")).missing.keys() == set(COMPONENTS)


@given(
    st.text() | st.lists(st.sampled_from(["{problem}", "{scale}", "{", "}", "\\1"])).map("".join)
)
def test_any_problem_stands_in_the_prompt_as_it_is(problem):
    before, after = PROMPT.render("\0").split("\0")
    assert PROMPT.render(problem) == before + problem + after


def test_a_wording_of_ones_own():
    prompt = MetaPrompt(
        wording="{opening}{scale} {min_length}-{max_length} {{x}} {rate}|{problem}|{pass_rate_key}",
        pass_rate_key="right",
        scale=4,
        min_length=1,
        max_length=10,
        opening="<think>",
        closing="</think>",
    )
    assert prompt.render("{scale}") == "<think>4 1-10 {{x}} {rate}|{scale}|right"
    read = prompt.parse('<think>{"right": 1}</think>{"right": 3, "solution_length": 11}')
    assert read.pass_rate == 0.75
    assert dict(read.missing) == {"length": "out_of_range", "notions": "no_key"}
    assert prompt.format(MetaPrediction(pass_rate=0.5)) == '{"right": 2}'


@pytest.mark.parametrize("text", [None, b"{}", ["{}"], 5])
@pytest.mark.parametrize("method", ["parse", "entries", "correct", "render"])
def test_what_is_no_text_is_told(method, text):
    with pytest.raises(TypeError, match=f"{method} takes the .* of one .*, a str: got"):
        getattr(PROMPT, method)(text)


def test_what_is_no_prediction_cannot_be_written():
    with pytest.raises(TypeError, match="format takes a MetaPrediction: got '5'"):
        PROMPT.format("5")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"wording": "Predict."}, r"'\{problem\}' exactly once.*0 times.*'Predict.'"),
        ({"wording": "{problem} {problem}"}, "2 times"),
        ({"min_length": 10, "max_length": 9}, "min_length 10 > max_length 9"),
        ({"max_length": 100}, "min_length 128 > max_length 100: state a min_length too"),
        ({"length_key": "passRate"}, "two components have the same key"),
        ({"length_key": "pass_rate"}, "two components have the same key"),
        ({"length_key": "a b"}, "length_key"),
        ({"scale": 0}, "scale"),
        ({"closing": ""}, "closing"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ValidationError, match=message):
        MetaPrompt(**settings)
