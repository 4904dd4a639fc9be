"""Digits in vLLM's outputs, and what else could have stood there."""

from types import SimpleNamespace

import pytest
from masa_openrlhf.reading.alternatives import find_digit_alternatives


def make_output(text, *pieces):
    """A response of tokens 0, 1, ...; a piece may have alternatives: ("4", {"5": -1.0})."""
    logprobs = []
    for token, piece in enumerate(pieces):
        own, others = piece if isinstance(piece, tuple) else (piece, {})
        entry = {token: SimpleNamespace(decoded_token=own, logprob=-0.25)}
        for number, (other, logprob) in enumerate(others.items()):
            entry[1000 + number] = SimpleNamespace(decoded_token=other, logprob=logprob)
        logprobs.append(entry)
    return SimpleNamespace(text=text, token_ids=list(range(len(pieces))), logprobs=logprobs)


def test_digits_are_found_where_they_stand():
    made = make_output('"rate": 4, 12', '"rate', '":', (" 4", {" 5": -1.5, "x": -3.0}), ", ", "12")
    assert find_digit_alternatives(made) == {8: {" 4": -0.25, " 5": -1.5, "x": -3.0}}


def test_tokens_without_a_text_of_their_own_lose_no_place():
    # Two tokens make one character; the end of the sequence is not in the text.
    made = make_output("½ = 4", "\ufffd", "\ufffd", " = ", "4", "<|end|>")
    assert find_digit_alternatives(made) == {4: {"4": -0.25}}


def test_a_text_that_two_tokens_have_counts_once():
    made = make_output("4", ("4", {"5": -2.0}))
    made.logprobs[0][2000] = SimpleNamespace(decoded_token="5", logprob=-1.0)
    assert find_digit_alternatives(made) == {0: {"4": -0.25, "5": -1.0}}


@pytest.mark.parametrize("made", [make_output(""), make_output("none", "no", "ne")])
def test_without_a_digit_there_is_none(made):
    assert find_digit_alternatives(made) == {}
    assert find_digit_alternatives(SimpleNamespace(text="4", token_ids=[1], logprobs=None)) == {}
