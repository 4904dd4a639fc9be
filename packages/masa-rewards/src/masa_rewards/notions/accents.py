r"""Names with accents, as LaTeX spells them: M\"obius, M\"{o}bius, Erd\H{o}s.

A text is read without looking for such commands, which would cost every text; there they part a
word. So the parts are looked for: "m" and "obius" in a row.
"""

from __future__ import annotations

import re
import unicodedata

_NAMES = (
    "angstr\u00f6m b\u00e9zier b\u00e9zout ces\u00e0ro \u010cech \u010ceby\u0161ev "
    "egerv\u00e1ry erd\u0151s fej\u00e9r fr\u00e9chet g\u00f6del gr\u00f6bner gr\u00f6nwall "
    "haj\u00f3s h\u00f4pital h\u00f6lder k\u00e4hler k\u00f6nig k\u0151nig k\u00fcnneth "
    "lindel\u00f6f lov\u00e1sz l\u00f6wenheim m\u00f6bius nystr\u00f6m pl\u00fccker poincar\u00e9 "
    "p\u00f3lya r\u00e9nyi schr\u00f6der schr\u00f6dinger szeg\u0151 szemer\u00e9di tur\u00e1n "
    "vi\u00e8te"
)
# Accents whose command is a letter, which LaTeX's brace parts from the word: \H{o}.
_COMMANDS = {"\u030b": "h", "\u030c": "v", "\u0327": "c", "\u0306": "u", "\u0328": "k"}


def _split_accents(name: str, *, braced: bool) -> tuple[str, ...]:
    words = [""]
    for letter in unicodedata.normalize("NFD", name):
        if not unicodedata.combining(letter):
            words[-1] += letter
            continue
        accented, words[-1] = words[-1][-1], words[-1][:-1]
        if letter in _COMMANDS:
            words.append(_COMMANDS[letter])
        words += [accented, ""] if braced else [accented]
    return tuple(word for word in words if word)


def _strip_accents(name: str) -> str:
    plain = unicodedata.normalize("NFD", name)
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


ACCENTED = {
    _strip_accents(name): (_split_accents(name, braced=False), _split_accents(name, braced=True))
    for name in _NAMES.casefold().split()
}
"""By name without accents: its parts where LaTeX's accents have no braces, and where they have."""

_COMMAND = re.compile(r"\\(?:[\"'`^~=.](?:\{\\?([A-Za-z])\}|([A-Za-z]))|[Hcvku]\{([A-Za-z])\})")


def strip_accent_commands(name: str) -> str:
    r"""Write a name without LaTeX's accents, if it is one of those known: M\"obius, Mobius."""
    if "\\" not in name:
        return name
    bare = _COMMAND.sub(lambda match: match[match.lastindex or 0], name)
    known = any(word.casefold() in ACCENTED for word in re.findall(r"[A-Za-z]+", bare))
    return bare if known else name
