r"""The signs that models put for those of JSON, as pieces of regular expressions."""

from __future__ import annotations

INVISIBLE = "\u200b-\u200d\u2060\ufeff\u00ad"
"""Zero-width spaces and joiners, byte order marks, soft hyphens: in a character class."""

GAP = rf"[\s{INVISIBLE}]"
"""One sign of white space, or one that is not seen."""

ESCAPED_GAP = r"\\{1,8}(?!\\)(?:[nrt](?![A-Za-z])|[ ,;!](?![A-Za-z])|(?=\s))"
r"""White space in other clothes: a literal "\n", LaTeX's "\\ " and "\,"."""

QUOTES = "\"'`\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u201b\uff02\uff07\u00ab\u00bb"
QUOTE = rf"\\{{0,7}}[{QUOTES}]"
r"""A quote; of JSON inside of JSON strings it has backslashes: one, three, seven."""

OPEN = r"\\?[{\uff5b]"
CLOSE = r"\\?[}\uff5d]"
COMMA = "[,;\uff0c\uff1b\u3001]"
PAIRS = r"(?::|\uff1a|=>|=(?!=)|->|\u2192)"
"""What stands between a key and its value."""
