"""Where in a TOML file a setting stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

_HEADER = re.compile(r"\s*\[([^\[\]]+)\]\s*(?:#.*)?$")
_ENTRY = re.compile(
    r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*="""
)


def find_setting_line(text: str, name: str) -> int | None:
    r"""Return the line, from 1, in which a setting of a TOML text is given its value.

    Examples:
        >>> find_setting_line('seed = 1\n[batch]\nproblems = 3\n', "batch.problems")
        3

    Args:
        text: TOML that was read without an error.
        name: the whole name, with dots.

    Returns:
        The last such line; that of its section where it stands in a table in one line; None where
        the text does not set it.
    """
    table, found, section_line = "", None, None
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _plain_name(header[1])
            if table == name:
                found = number
            continue
        if entry := _ENTRY.match(line):
            entry_name = ".".join(filter(None, (table, _plain_name(entry[1]))))
            if entry_name == name:
                found = number
            elif name.startswith(f"{entry_name}."):
                section_line = number
    return found if found is not None else section_line


def locate_setting(files: Iterable[Path], name: str) -> str:
    """Return "FILE:LINE: " of the last file that sets it; "" where none does.

    Args:
        files: in the order in which they are put over each other.
        name: the whole name of the setting, with dots.
    """
    place = ""
    for file in files:
        line = find_setting_line(file.read_text("utf-8"), name)
        place = place if line is None else f"{file}:{line}: "
    return place


def _plain_name(written: str) -> str:
    parts: Sequence[str] = [part.strip().strip("\"'") for part in written.split(".")]
    return ".".join(parts)
