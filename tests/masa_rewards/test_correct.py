"""`MetaPrompt.correct`: true numbers in an answer's own text, in the form that `parse` reads."""

import json
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from masa_rewards import MetaPrediction, MetaPrompt

CASES = json.loads(Path(__file__).with_name("parser_cases.json").read_text(encoding="utf-8"))
PROMPT = MetaPrompt()
KEYS = {"pass_rate": "pass_rate", "length": "solution_length"}


def find_stated(text):
    entries = PROMPT.entries(text)
    return {component for component, key in KEYS.items() if key in entries}


def split_outside(text, places):
    """What stands between and around the numbers."""
    pieces, done = [], 0
    for begin, end in sorted(places.values()):
        pieces.append(text[done:begin])
        done = end
    return [*pieces, text[done:]]


def check_correction(text, eighths, length):
    """What must hold of every text that has the keys."""
    known = find_stated(text)
    numbers = {"pass_rate": eighths / 8, "length": length}
    before = PROMPT.parse(text)
    corrected = PROMPT.correct(text, **{name: numbers[name] for name in known})
    after = PROMPT.parse(corrected.text)
    assert set(corrected.places) == known
    for name in known:
        begin, end = corrected.places[name]
        written = eighths if name == "pass_rate" else length
        assert corrected.text[begin:end] == str(written)
        assert getattr(after, name) == numbers[name]
    assert after.notions == before.notions
    # All else is as it was: the pieces between the numbers, in this order, make up the old text.
    position = 0
    pieces = split_outside(corrected.text, corrected.places)
    assert text.startswith(pieces[0])
    assert text.endswith(pieces[-1])
    for piece in pieces:
        position = text.index(piece, position) + len(piece)
    # Put right once more, nothing changes.
    again = PROMPT.correct(corrected.text, **{name: numbers[name] for name in known})
    assert again == corrected


@pytest.mark.parametrize("eighths", [0, 7, 8])
@pytest.mark.parametrize("length", [128, 4567])
@pytest.mark.parametrize(
    "case", [c for c in CASES if find_stated(c["text"])], ids=lambda case: case["name"]
)
def test_whatever_a_model_wrote_is_put_right(case, eighths, length):
    check_correction(case["text"], eighths, length)


def test_most_of_the_table_has_something_to_put_right():
    assert sum(find_stated(case["text"]) == set(KEYS) for case in CASES) > 30


@pytest.mark.parametrize(
    "case", [c for c in CASES if not find_stated(c["text"])], ids=lambda c: c["name"]
)
def test_where_there_is_no_key_it_says_so(case):
    with pytest.raises(ValueError, match="has no 'pass_rate' to correct"):
        PROMPT.correct(case["text"], pass_rate=0.5)


def test_by_hand():
    said = 'Hm. {"solution_length": "about 700", "pass_rate": 2, "math_notion": ["sum"]} So.'
    corrected = PROMPT.correct(said, pass_rate=0.625, length=450)
    assert (
        corrected.text == 'Hm. {"solution_length": 450, "pass_rate": 5, "math_notion": ["sum"]} So.'
    )
    assert dict(corrected.places) == {"length": (24, 27), "pass_rate": (42, 43)}


def test_one_number_alone():
    said = '{"solution_length": 700, "pass_rate": 2}'
    assert PROMPT.correct(said, length=450).text == '{"solution_length": 450, "pass_rate": 2}'
    assert PROMPT.correct(said, pass_rate=1.0).text == '{"solution_length": 700, "pass_rate": 8}'
    assert PROMPT.correct(said) == (said, {})
    with pytest.raises(ValueError, match="no 'solution_length' to correct"):
        PROMPT.correct('{"pass_rate": 2}', length=450)


def test_the_last_object_is_the_one_and_the_last_value_of_a_repeated_key():
    said = '{"pass_rate": 1} or {"pass_rate": 2, "pass_rate": 3}'
    expected = '{"pass_rate": 1} or {"pass_rate": 2, "pass_rate": 8}'
    assert PROMPT.correct(said, pass_rate=1.0).text == expected


def test_a_length_is_kept_within_what_the_prompt_allows():
    said = '{"solution_length": 700}'
    assert PROMPT.correct(said, length=5).text == '{"solution_length": 128}'
    assert PROMPT.correct(said, length=10**6).text == '{"solution_length": 8192}'


def test_only_the_end_of_a_long_answer_is_read_and_places_count_from_its_start():
    thought = '{"pass_rate": 1} ' + "x" * 30_000
    corrected = PROMPT.correct(thought + '{"pass_rate": 2}', pass_rate=0.75)
    begin, end = corrected.places["pass_rate"]
    assert corrected.text[begin:end] == "6"
    assert corrected.text[: len(thought)] == thought
    with pytest.raises(ValueError, match="to correct"):
        PROMPT.correct(thought, pass_rate=0.75)


@pytest.mark.parametrize("pass_rate", [-0.125, 1.125, float("nan")])
def test_what_is_no_pass_rate_is_refused(pass_rate):
    with pytest.raises(ValueError, match=rf"pass_rate must lie in \[0, 1\], got {pass_rate!r}"):
        PROMPT.correct('{"pass_rate": 2}', pass_rate=pass_rate)


def test_other_keys_are_left_alone():
    prompt = MetaPrompt(extra=(("is_integer", "true or false"),))
    said = '{"pass_rate": 1, "is_integer": true, "solution_length": 300}'
    corrected = prompt.correct(said, pass_rate=0.5, length=200).text
    assert corrected == '{"pass_rate": 4, "is_integer": true, "solution_length": 200}'
    assert prompt.entries(corrected)["is_integer"] is True


VALUES = st.one_of(
    st.integers(-9, 99999),
    st.floats(),
    st.booleans(),
    st.none(),
    st.text(max_size=8),
    st.lists(st.integers(0, 9), max_size=3),
    st.dictionaries(st.text("abc", max_size=2), st.integers(0, 9), max_size=2),
)
BARE = st.sampled_from(["about 5", "5/8", "~700", "'5'", "“5”", "5.0", "1e2", "None", "+5", "..."])
SPACES = st.sampled_from(["", " ", "\n  ", "\t", " // how many\n "])
AROUND = st.sampled_from(["", "<meta>Hm.</meta>\n", "```json\n", "$\\boxed{", "{}", '{"a": 1} '])


@st.composite
def draw_answers(draw):
    """An object with our keys in a model's ways of writing one."""
    keys = draw(st.permutations(["pass_rate", "Solution Length", "math_notion", "other"]))
    quote = draw(st.sampled_from(['"', "'", ""]))
    parts = []
    for key in keys:
        written = draw(BARE) if draw(st.booleans()) else json.dumps(draw(VALUES))
        name = f"{quote}{key}{quote}"
        parts.append(f"{draw(SPACES)}{name}{draw(SPACES)}:{draw(SPACES)}{written}{draw(SPACES)}")
    comma = draw(st.sampled_from(["", ","]))
    return f"{draw(AROUND)}{{{','.join(parts)}{comma}}}{draw(st.sampled_from(['', '}$', ' Yes.']))}"


@given(draw_answers(), st.integers(0, 8), st.integers(128, 8192))
@example('{"pass_rate": {"pass_rate": 3}, "solution_length": [700]}', 5, 300)
@example("{'pass_rate': 'it\\'s 5', 'solution_length': 5 # tokens\n}", 5, 300)
def test_generated_answers_are_put_right(text, eighths, length):
    assume(find_stated(text))
    check_correction(text, eighths, length)


@given(
    st.integers(0, 8), st.integers(128, 8192), st.integers(0, 8), st.integers(128, 8192), st.text()
)
def test_what_format_writes_is_put_right(was, long, eighths, length, before):
    text = before + PROMPT.format(MetaPrediction(pass_rate=was / 8, length=long, notions=("sum",)))
    assume(find_stated(text))
    check_correction(text, eighths, length)
