"""British spelling and American, as rules: both are read as American.

A rule names the stems or endings it is for. So "colour" is "color", and "four" stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

_OUR = (
    "arm behavi cand clam col demean endeav fav ferv flav harb hon hum lab neighb od parl rig rum "
    "sav splend tum val vap vig"
)
_RE = "calib cent fib lit lust meag met och sab somb spect theat"
_OGUE = "anal catal dial epil homol monol prol"
_YSE = "anal catal electrol hydrol paral"
_ELL = (
    "bevel cancel channel counsel dial equal fuel initial jewel label level marvel model panel "
    "pencil quarrel refuel relabel remodel rival signal spiral total travel tunnel unravel"
)
_OTHERS = {
    "acknowledgement": "acknowledgment",
    "ageing": "aging",
    "artefact": "artifact",
    "centring": "centering",
    "defence": "defense",
    "disc": "disk",
    "discs": "disks",
    "focussed": "focused",
    "focussing": "focusing",
    "fulfil": "fulfill",
    "grey": "gray",
    "judgement": "judgment",
    "licence": "license",
    "manoeuvre": "maneuver",
    "maths": "math",
    "mould": "mold",
    "offence": "offense",
    "plough": "plow",
    "practise": "practice",
    "programme": "program",
    "sceptic": "skeptic",
    "sulphur": "sulfur",
}


class _Rule(NamedTuple):
    british: re.Pattern[str]
    american: re.Pattern[str]
    to_american: str
    to_british: str

    def americanise(self, word: str) -> str:
        return self.british.sub(self.to_american, word)

    def anglicise(self, word: str) -> str:
        return self.american.sub(self.to_british, word)


def _compile_rule(before: str, british: str, american: str, after: str) -> _Rule:
    return _Rule(
        re.compile(f"({before}){british}({after})$"),
        re.compile(f"({before}){american}({after})$"),
        rf"\g<1>{american}\g<2>",
        rf"\g<1>{british}\g<2>",
    )


def _join_stems(stems: str) -> str:
    return f"(?:{'|'.join(stems.split())})"


# A word like "exercise" has only one spelling: the dictionary decides which words do.
_ISE = _compile_rule(r"^.{3,}i", "s", "z", "e|es|ed|ing|er|ers|able|ation|ations")
_RULES = (
    _compile_rule(
        rf"^(?:un|dis|mis|out|re|bi|tri|multi|mono)?{_join_stems(_OUR)}", "our", "or", r"\w*"
    ),
    _compile_rule(rf"{_join_stems(_RE)}", "re", "er", "s?"),
    _compile_rule(rf"{_join_stems(_RE)}", "re", "ere", "d"),
    _compile_rule(rf"^{_join_stems(_OGUE)}og", "ue", "", "s?"),
    _compile_rule(rf"^{_join_stems(_YSE)}y", "s", "z", "e|ed|er|ers|ing"),
    _compile_rule(rf"^{_join_stems(_ELL)}", "l", "", "ed|ing|er|ers|ings"),
)
_MAY_BE_BRITISH = re.compile("our|re[ds]?$|ogue|ys|is|ll")
_BACK = {american: british for british, american in _OTHERS.items()}


def to_american(word: str, known: Callable[[str], object]) -> str:
    """Spell a word the American way.

    Args:
        word: One word in lower case.
        known: Whether the dictionary has a word.
    """
    if word in _OTHERS:
        return _OTHERS[word]
    if not _MAY_BE_BRITISH.search(word):
        return word
    for rule in _RULES:
        if (american := rule.americanise(word)) != word:
            return american
    american = _ISE.americanise(word)
    return word if known(word) and not known(american) else american


def to_british(word: str) -> frozenset[str]:
    """Spell a word in every British way it could have; not each of them needs to exist."""
    ways = {rule.anglicise(word) for rule in (*_RULES, _ISE)}
    if word in _BACK:
        ways.add(_BACK[word])
    return frozenset(ways - {word})
