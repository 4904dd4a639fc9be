r"""Functions in pieces, as `notation.systems` writes them: `\piece{value}{condition}` each.

In a worker only: it compares by computer algebra.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from masa_rewards.verify.braces import match_braces

Compare = Callable[[str, str], bool]
"""Whether a stated part is what the target has there."""

_PIECE, _OTHERWISE = "\\piece{", "otherwise"
_MOST = 8


class _Piece(NamedTuple):
    value: str
    condition: str


def compare_pieces(answer: str, gold: str, compare: Compare) -> bool | None:
    """Compare two functions piece by piece, in any order; None where neither is in pieces."""
    if _PIECE not in answer and _PIECE not in gold:
        return None
    stated, wanted = _read_pieces(answer), _read_pieces(gold)
    if len(stated) != len(wanted) or len(stated) > _MOST:
        return False
    left, open_pieces = list(stated), list[_Piece]()
    for piece in wanted:
        found = next((one for one in left if _has_same_condition(one, piece, compare)), None)
        if found is None:
            open_pieces.append(piece)
        elif compare(found.value, piece.value):
            left.remove(found)
        else:
            return False
    if not open_pieces:
        return True
    # "Otherwise" is what is left.
    is_rest = len(left) == 1 and _OTHERWISE in left[0].condition + open_pieces[0].condition
    return is_rest and compare(left[0].value, open_pieces[0].value)


def _has_same_condition(one: _Piece, other: _Piece, compare: Compare) -> bool:
    rest = [_OTHERWISE in piece.condition for piece in (one, other)]
    return all(rest) or (not any(rest) and compare(one.condition, other.condition))


def _read_pieces(text: str) -> list[_Piece]:
    ends = match_braces(text)
    pieces: list[_Piece] = []
    position = 0
    while (start := text.find(_PIECE, position)) >= 0:
        opened = start + len(_PIECE) - 1
        middle = ends.get(opened, -2) + 1
        end = ends.get(middle)
        if end is None:
            return []
        pieces.append(_Piece(text[opened + 1 : middle - 1], text[middle + 1 : end]))
        position = end
    return pieces
