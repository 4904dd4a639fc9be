r"""Lists whose members have names or words: "a=1, b=2", `3 \text{ cats}, 4 \text{ dogs}`."""

from __future__ import annotations

import re
from typing import NamedTuple

from masa_rewards.verify.braces import match_braces
from masa_rewards.verify.equality.qualifiers import has_different_qualifiers
from masa_rewards.verify.equality.ratios import MemberPairs
from masa_rewards.verify.equality.units import has_different_units
from masa_rewards.verify.equality.value_tails import split_tail
from masa_rewards.verify.parts import split_list

_SEPARATED = re.compile(r"[,;]|(?<![A-Za-z])and(?![A-Za-z])|\\(?:land|wedge)")
_NAMED = re.compile(
    r"(?P<name>(?:\|[A-Z]{1,3}\||\\?[A-Za-z]+)(?:_(?:\w|\{[^{}]{1,12}\}))?'*(?:\([a-z]\))?)"
    r"\s*=\s*(?P<value>[^=<>]+)"
    r"|(?P<label>[A-Za-z][a-z]{1,20})\s*:\s*(?P<labelled>[^=<>:]+)"
)
_NAMED_TUPLE = re.compile(r"^\(([A-Za-z_\d\s,{}\\]{1,60})\)\s*=\s*(\(.+\))$", re.DOTALL)
_NO_LIST = re.compile(
    r"[<>]|\\(?:leq?|geq?|neq?|cup|cap|in|mid|piece|begin|ldots|dots)(?![A-Za-z])"
)
_WORD = re.compile(r"[A-Za-z]{2,}")


class _Member(NamedTuple):
    """One member: what it is called, its value, and the words behind that."""

    name: str
    value: str
    words: str


class _Members(NamedTuple):
    shape: str
    members: list[_Member]

    @property
    def values(self) -> list[str]:
        return [member.value for member in self.members]

    @property
    def names(self) -> list[str]:
        """Their names, if all have one, and each its own."""
        return _keep_distinct([member.name for member in self.members])

    @property
    def words(self) -> list[str]:
        """Their words, if all have some, and each its own."""
        return _keep_distinct([_make_key(member.words) for member in self.members])

    @property
    def plain(self) -> bool:
        return not any(member.name or member.words for member in self.members)


def pair_members(answer: str, gold: str) -> MemberPairs | bool | None:
    """Pair the members of two lists by their names or words, or in their order.

    Args:
        answer: The stated answer.
        gold: The right one.

    Returns:
        What of them has to be equal; False where they cannot be; None where no list has labels.
    """
    if not _SEPARATED.search(answer) and not _SEPARATED.search(gold):
        return None
    if "=" not in answer + gold and not _WORD.search(answer + gold):  # nothing has a name
        return None
    stated, wanted = _read_members(answer), _read_members(gold)
    if not stated or not wanted:
        return None
    if len(stated.members) != len(wanted.members):
        return False if _counts_things(stated) or _counts_things(wanted) else None
    if len(wanted.members) < 2:
        return None
    if has_different_qualifiers(answer, gold):
        return False
    return _pair_by_names(stated, wanted) or _pair_by_words(stated, wanted, gold)


def _pair_by_names(stated: _Members, wanted: _Members) -> MemberPairs | bool | None:
    if stated.names and wanted.names:
        if sorted(stated.names) != sorted(wanted.names):
            return None
        found = dict(zip(stated.names, stated.values, strict=True))
        return [(found[member.name], member.value) for member in wanted.members]
    if wanted.names and stated.plain and stated.shape != "{":
        return _zip_members(stated.values, _order_values(wanted, stated.shape))
    if stated.names and wanted.plain and wanted.shape != "{":
        if wanted.shape == "(":
            return _zip_members(_order_values(stated, "("), wanted.values)
        return [(", ".join(stated.values), ", ".join(wanted.values))]
    return None


def _pair_by_words(stated: _Members, wanted: _Members, gold: str) -> MemberPairs | bool | None:
    if wanted.words:
        if stated.words and set(stated.words) & set(wanted.words):
            if set(stated.words) != set(wanted.words):
                return _zip_members(stated.values, wanted.values)
            found = dict(zip(stated.words, stated.values, strict=True))
            return [
                (found[key], value) for key, value in zip(wanted.words, wanted.values, strict=True)
            ]
        if stated.shape != "{":
            return _zip_members(stated.values, wanted.values)
        return None
    if stated.words and wanted.plain and wanted.shape != "{":
        return [(", ".join(stated.values), gold)]
    return _pair_same_unit(stated, wanted)


def _pair_same_unit(stated: _Members, wanted: _Members) -> MemberPairs | bool | None:
    r"""Lists in one unit: `40 \\text{ cm}, 60 \\text{ cm}` is "40, 60"."""
    units = [{member.words for member in members.members} for members in (stated, wanted)]
    if not any(len(unit) == 1 and "" not in unit for unit in units) or any(
        len(unit) > 1 for unit in units
    ):
        return None
    if any(member.name for member in stated.members + wanted.members):
        return None
    one, other = (f"1\\text{{ {min(unit)}}}" if min(unit) else "1" for unit in units)
    if has_different_units(one, other):
        return False
    return [(_write_list(stated), _write_list(wanted))]


def _write_list(members: _Members) -> str:
    inside = ", ".join(members.values)
    return {"(": f"({inside})", "{": f"\\{{{inside}\\}}"}.get(members.shape, inside)


def _counts_things(members: _Members) -> bool:
    return len(members.members) > 1 and bool(members.words)


def _order_values(named: _Members, shape: str) -> list[str]:
    """In a tuple x comes before y, as in (x, y), however they were told."""
    names = named.names
    if shape == "(" and set(names) <= {"x", "y", "z"}:
        return [value for _, value in sorted(zip(names, named.values, strict=True))]
    return named.values


def _zip_members(stated: list[str], wanted: list[str]) -> MemberPairs:
    return list(zip(stated, wanted, strict=True))


def _read_members(text: str) -> _Members | None:
    """The members of a list, a tuple or a set; None where "or" or a relation stands in it."""
    if _NO_LIST.search(text):
        return None
    names: list[str] = []
    if match := _NAMED_TUPLE.match(text):
        names, text = split_list(match[1]).parts, match[2]
    shape, inside = _open_brackets(text.strip())
    split = split_list(inside)
    if "or" in split.separators or not all(split.parts):
        return None
    members = [_read_member(part) for part in split.parts]
    if len(names) == len(members) > 1:
        members = [member._replace(name=name) for member, name in zip(members, names, strict=True)]
        shape = ""
    return _Members(shape, members)


def _open_brackets(text: str) -> tuple[str, str]:
    text = re.sub(r"\\(?:left|right)\s*", "", text)
    if text.startswith("(") and text.endswith(")") and _is_whole(text):
        return "(", text[1:-1]
    if text.startswith("\\{") and text.endswith("\\}"):
        return "{", text[2:-2]
    return "", text


def _is_whole(text: str) -> bool:
    """Whether the first bracket closes at the end."""
    return match_braces(text.translate(_AS_BRACES)).get(0) == len(text) - 1


_AS_BRACES = str.maketrans("()[]{}", "{}{}  ")


def _read_member(part: str) -> _Member:
    name = ""
    if match := _NAMED.fullmatch(part):
        name = match["name"] or match["label"]
        part = (match["value"] or match["labelled"]).strip()
    tail = split_tail(part)
    if tail and re.search(r"\d", tail.value) and (tail.styled or _WORD.search(tail.words)):
        return _Member(name, tail.value, " ".join(tail.words.split()))
    return _Member(name, part, "")


def _make_key(words: str) -> str:
    """Words for comparison: "Red balls" and "red ball" are one."""
    return " ".join(word.rstrip("s") for word in re.findall(r"[a-z]+", words.lower()))


def _keep_distinct(labels: list[str]) -> list[str]:
    return labels if all(labels) and len(set(labels)) == len(labels) else []
