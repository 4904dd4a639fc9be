"""Predicted outputs, as CRUXEval asks for them: a literal, compared with its types.

Nothing is executed: both are read by ``ast.literal_eval``.
"""

from __future__ import annotations

import ast
import re
from typing import Any

from masa_openrlhf.eval.graders import answer_part
from masa_openrlhf.eval.python_source import parse
from masa_openrlhf.eval.question import Grade, Question

_TAGGED = re.compile(r"\[ANSWER\](.*?)(?:\[/ANSWER\]|\Z)", re.DOTALL)
LONGEST = 4_000
"""Characters of an answer that are read; a longer one is unparsable."""


class LiteralGrader:
    """Judges the literal that stands last between [ANSWER] and [/ANSWER]."""

    def grade(self, question: Question, text: str) -> Grade:
        """Judge one answer; "assert f(1) == 2" states 2."""
        tagged = _TAGGED.findall(answer_part(text))
        if not tagged:
            return Grade("unparsable", None, "nothing stands between [ANSWER] and [/ANSWER]")
        stated = _right_side(tagged[-1].strip())
        try:
            value = read_literal(stated)
        except ValueError as error:
            return Grade("unparsable", stated[:200], str(error))
        right = same(value, read_literal(question.gold))
        return Grade("correct" if right else "incorrect", stated[:1000])


def read_literal(text: str) -> Any:
    """Read a Python literal.

    Raises:
        ValueError: it is none, or too long or too deep to be read.
    """
    if len(text) > LONGEST:
        raise ValueError(f"longer than {LONGEST} characters")
    try:
        return ast.literal_eval(parse(text.strip(), "eval"))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError(f"no literal: {type(error).__name__}") from None


def same(one: Any, other: Any) -> bool:
    """Whether two literals are the same value of the same types: 1, 1.0 and True are three."""
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return len(one) == len(other) and all(
            key in other and _same_key(key, other) and same(value, other[key])
            for key, value in one.items()
        )
    if isinstance(one, (set, frozenset)):
        return one == other and {(type(x), x) for x in one} == {(type(x), x) for x in other}
    return bool(one == other)


def _same_key(key: Any, other: dict[Any, Any]) -> bool:
    return any(same(key, theirs) for theirs in other if theirs == key)


def _right_side(stated: str) -> str:
    """Return what an assertion says the output is; of anything else, all of it."""
    bare = re.sub(r"^```(?:python)?\s*|\s*```$", "", stated).strip()
    try:
        tree = parse(bare)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return bare
    (node,) = tree.body if len(tree.body) == 1 else (None,)
    compared = node.test if isinstance(node, ast.Assert) else getattr(node, "value", None)
    if isinstance(compared, ast.Compare) and isinstance(compared.ops[0], ast.Eq):
        return ast.get_source_segment(bare, compared.comparators[0]) or bare
    return bare
