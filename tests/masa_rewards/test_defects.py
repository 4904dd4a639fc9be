"""One defect in an answer costs at most the component it stands in."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from masa_rewards import MetaPrediction, MetaPrompt
from masa_rewards.missing import COMPONENTS

PROMPT = MetaPrompt()
KEYS = {"pass_rate": "pass_rate", "length": "solution_length", "notions": "math_notion"}
WHOLE = {"pass_rate": "5", "length": "900", "notions": '["Vieta", "sum of squares"]', "note": '"x"'}
READ = {"pass_rate": 0.625, "length": 900, "notions": ("Vieta", "sum of squares")}
# What stands in the place of a value, and whatever the component: none may reach another one.
ANYWHERE = [
    "",
    "...",
    "null",
    "five",
    '"five"',
    '5"',
    '"5',
    "5 (of 8)",
    "5 [of 8]",
    "5 / 8",
    "5, 6",
    "1,200",
    "1_200",
    "62.5 %",
    "{}",
    "{5}",
    '{"value" 5}',
    '{"value": "5}',
    '{"a": {"b": [1, }}',
    "[5",
    "(5",
    "5]",
    "[[5]",
    '["a" b]',
    '["a", "b',
    '["the "magic", trick", "b"]',
    '"the "magic", trick"',
    "5 /* of 8 */",
    "/* five */",
    "5 // of 8\n",
    "5 # of 8\n",
    "5 \u200b",
    "“5",
    "“a”, “b”",
    "'it's 5'",
    "\\frac{5}{8}",
    "$5$",
    "**5**",
    "5;",
    "5,,",
    "<int>",
    "5 = 5",
    "a: 5",
]
QUOTES = st.sampled_from(['"{}"', "'{}'", "{}", "“{}”", '"{}', '{}"', '" {} "', '"**{}**"'])
PAIRS = st.sampled_from([": ", ":", " : ", " = ", " => ", "：", ":\n  "])
COMMAS = st.sampled_from(
    [", ", ",", ",\n", "，", "; ", "\n", ", /* so */ ", ", // so\n", ",\u200b "]
)
ENDS = st.sampled_from(["", "\n```", " Done.", "\n\nDone.", "</answer>"])


def without_deadline(test):
    return settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])(test)


@st.composite
def draw_answers(draw, values, *, quotes=QUOTES, pairs=PAIRS, commas=COMMAS):
    """An object in one style, with the values of the components and of one other key."""
    quote, pair, comma = draw(quotes), draw(pairs), draw(commas)
    names = draw(st.permutations([*KEYS, "note"]))
    spelled = {name: quote.format(key) for name, key in KEYS.items()} | {"note": '"note"'}
    parts = [spelled[name] + pair + values[name] for name in names]
    return f"Hm. {{{comma.join(parts)}}}{draw(ENDS)}"


def answers_in_json(values):
    return draw_answers(
        values, quotes=st.just('"{}"'), pairs=st.just(": "), commas=st.sampled_from([", ", ",\n"])
    )


@without_deadline
@given(st.data(), st.sampled_from([*KEYS, "note"]), st.sampled_from(ANYWHERE))
def test_a_broken_value_costs_its_own_component(data, component, value):
    text = data.draw(answers_in_json(WHOLE | {component: value}), label="text")
    read = PROMPT.parse(text)
    for name in COMPONENTS:
        if name != component:
            assert getattr(read, name) == READ[name]


@without_deadline
@given(st.data(), st.sampled_from(list(KEYS)), st.sampled_from(ANYWHERE))
def test_a_broken_number_is_put_right_and_all_else_is_as_it_was(data, component, value):
    text = data.draw(answers_in_json(WHOLE | {component: value}), label="text")
    corrected = PROMPT.correct(text, pass_rate=0.25, length=300)
    after = PROMPT.parse(corrected.text)
    assert (after.pass_rate, after.length) == (0.25, 300)
    assert after.notions == PROMPT.parse(text).notions
    assert PROMPT.correct(corrected.text, pass_rate=0.25, length=300) == corrected


@without_deadline
@given(draw_answers(WHOLE))
def test_no_style_costs_anything(text):
    read = PROMPT.parse(text)
    assert {name: getattr(read, name) for name in COMPONENTS} == READ
    corrected = PROMPT.correct(text, pass_rate=0.25, length=300)
    after = PROMPT.parse(corrected.text)
    assert (after.pass_rate, after.length, after.notions) == (0.25, 300, READ["notions"])


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.text().filter(lambda key: "".join(filter(str.isalnum, key)).casefold().strip("s") != "")


@without_deadline
@given(st.dictionaries(NAMES, JSON_VALUES, max_size=3), st.booleans(), st.booleans())
@example({'a", "b': '"pass_rate": 7, ', "c": "“pass_rate”: 7"}, True, True)
@example({"x": ['", "', '"pass_rate": [', "//", "/*"]}, False, False)
@example({"x": "a”, “b"}, False, True)
def test_valid_json_is_read_as_json_whatever_else_it_holds(others, first, indented):
    ours = {"math_notion": ['sum, "x"', "a\\b"], "pass_rate": 5, "solution_length": 900}
    ours_last = others | ours if first else ours | others
    assume(len(ours_last) == len(others) + len(ours))
    read = PROMPT.parse(json.dumps(ours_last, indent=1 if indented else None))
    assert read == MetaPrediction(pass_rate=0.625, length=900, notions=('sum, "x"', "a\\b"))


SIGNS = ["{", "}", "[", '"', "'", '\\"', "\\", ",", ":", "\n", " ", "//", "/*", "#", "5", "a", "“"]
PIECES = [*SIGNS, '"pass_rate": ', "pass_rate:", '{"a":', '"math_notion": [', "1,200", "(of 8)"]


@pytest.mark.parametrize("first", PIECES)
def test_time_grows_in_proportion_to_the_text(first):
    def seconds(text: str) -> float:
        start = time.process_time()
        PROMPT.parse(text)
        return time.process_time() - start

    for piece in (first, *(first + other for other in PIECES), "{\n//1,200"):
        long, short = (f'{{"note": "{piece * (size // len(piece))}' for size in (19_900, 4_975))
        if seconds(long) < 0.05:  # fast however it grows
            continue
        ratios = [seconds(long) / seconds(short) for _ in range(3)]
        assert min(ratios) < 8  # four times the text: four in proportion, sixteen by its square
