"""What could have stood in the place of a digit, of the log-probabilities that vLLM returns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

ALTERNATIVES = 20
"""Most likely tokens that vLLM is asked for; its own limit. A scale has ten digits at most."""

_LOOK = 16
"""Characters by which a token's text may be off, where it is no text of its own (part of a
character, a special token)."""


def find_digit_alternatives(output: Any) -> dict[int, dict[str, float]]:
    """Return where single digits stand in a response, and what else could have been sampled there.

    Args:
        output: of vLLM's, with log-probabilities and their decoded tokens.

    Returns:
        Place in the text, characters -> text of a token -> its log-probability. Of a token twice by
        its text, the likelier.
    """
    found: dict[int, dict[str, float]] = {}
    for place, entry in _walk_tokens(output):
        offered: dict[str, float] = {}
        for one in entry.values():
            text = one.decoded_token or ""
            offered[text] = max(one.logprob, offered.get(text, float("-inf")))
        found[place] = offered
    return found


def _walk_tokens(output: Any) -> Iterator[tuple[int, Any]]:
    """The places of tokens that are a single digit, spaces aside."""
    place = 0
    for token, entry in zip(output.token_ids, output.logprobs or (), strict=False):
        piece = entry[token].decoded_token or ""
        begin = output.text.find(piece, place, place + len(piece) + _LOOK) if piece else -1
        if begin < 0:
            continue
        digit = piece.strip()
        if len(digit) == 1 and digit.isascii() and digit.isdigit():
            yield begin + piece.index(digit), entry
        place = begin + len(piece)
