r"""The statement of a row: of chat messages the user's last, and without a known instruction.

An instruction in the data stands in the way: the run has its own (``solution.template``), and one
that asks for "Answer: 42" contradicts one that asks for a box.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from masa_openrlhf.data.errors import DataError


class Instruction(NamedTuple):
    """What a data set puts around each problem.

    Attributes:
        name: whose it is.
        before: stands before the problem.
        after: stands behind it.
    """

    name: str
    before: str
    after: str


INSTRUCTIONS = (
    Instruction(
        "DAPO-17k",
        "Solve the following math problem step by step. The last line of your response should be "
        "of the form Answer: $Answer (without quotes) where $Answer is the answer to the problem.",
        'Remember to put your answer on its own line after "Answer:".',
    ),
    Instruction(
        "verl's MATH and DeepScaleR",
        "",
        "Let's think step by step and output the final answer within \\boxed{}.",
    ),
    Instruction(
        "verl's GSM8K",
        "",
        'Let\'s think step by step and output the final answer after "####".',
    ),
    Instruction(
        "Qwen's prompt",
        "",
        "Please reason step by step, and put your final answer within \\boxed{}.",
    ),
)
"""Those that are taken off. The spaces and line breaks between them and the problem go too."""


def read_statement(value: Any) -> str:
    """Return the text itself, or the last user message of a chat; "" where there is neither."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, Sequence):
        said = [
            m.get("content") for m in value if isinstance(m, Mapping) and m.get("role") == "user"
        ]
        return said[-1].strip() if said and isinstance(said[-1], str) else ""
    return ""


PLACE = "{problem}"
"""Where the problem stands in an instruction that is named."""

_FEWEST, _SHORTEST = 20, 40


def parse_instruction(text: str) -> Instruction:
    """Return the instruction of a setting: what stands before and behind ``{problem}``.

    Raises:
        DataError: the place is not there, or there twice.
    """
    if text.count(PLACE) != 1:
        raise DataError(f"data.instruction must hold {PLACE} once, got {text!r}")
    before, _, after = text.partition(PLACE)
    return Instruction("named", before.strip(), after.strip())


def find_shared_text(statements: Sequence[str]) -> str:
    """Return what all of many statements begin or end with, at least 40 characters; else ""."""
    if len(statements) < _FEWEST:
        return ""
    before = _find_shared_beginning(statements)
    after = _find_shared_beginning([one[::-1] for one in statements])[::-1]
    longer = max(before.strip(), after.strip(), key=len)
    return longer if len(longer) >= _SHORTEST else ""


def _find_shared_beginning(texts: Sequence[str]) -> str:
    first, last = min(texts), max(texts)  # what these two share, all share
    pairs = enumerate(zip(first, last, strict=False))
    return first[: next((place for place, (a, b) in pairs if a != b), len(first))]


def strip_instruction(statement: str, named: Instruction | None = None) -> str:
    """Return a statement without the instruction around it, where that is named or known."""
    for one in INSTRUCTIONS if named is None else (named, *INSTRUCTIONS):
        if statement.startswith(one.before) and statement.endswith(one.after):
            problem = statement[len(one.before) : len(statement) - len(one.after)].strip()
            if problem:
                return problem
    return statement
