"""Predicted outputs, as CRUXEval asks for them: a literal, compared with its types.

Nothing is executed: both are read by ``ast.literal_eval``.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Hashable
from typing import Any

from masa_rewards import Verdict

from masa_openrlhf.eval.benchmarks.python_source import parse_source
from masa_openrlhf.eval.graders import strip_thinking
from masa_openrlhf.eval.question import Question

_TAGGED = re.compile(r"\[ANSWER\](.*?)(?:\[/ANSWER\]|\Z)", re.DOTALL)
MAX_CHARACTERS = 4_000
"""Characters of an answer that are read; a longer one is unparsable."""


class LiteralGrader:
    """Judges the literal that stands last between [ANSWER] and [/ANSWER]."""

    def grade(self, question: Question, text: str) -> Verdict:
        """Judge one answer; "assert f(1) == 2" states 2."""
        tagged = _TAGGED.findall(strip_thinking(text))
        if not tagged:
            return Verdict(
                status="unparsable",
                answer=None,
                detail="nothing stands between [ANSWER] and [/ANSWER]",
            )
        stated = tagged[-1].strip()
        try:
            stated = _extract_expected(stated)
            value = read_literal(stated)
        except ValueError as error:
            return Verdict(status="unparsable", answer=stated[:200], detail=str(error))
        right = is_same_literal(value, read_literal(question.gold))
        return Verdict(status="correct" if right else "incorrect", answer=stated[:1000])


def read_literal(text: str) -> Any:
    """Read a Python literal.

    Raises:
        ValueError: it is none, or too long or too deep to be read.
    """
    _check_length(text)
    try:
        return ast.literal_eval(parse_source(text.strip(), "eval"))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise ValueError(f"no literal: {type(error).__name__}") from None


def is_same_literal(one: Any, other: Any) -> bool:
    """Whether two literals are the same value of the same types: 1, 1.0 and True are three."""
    if type(one) is not type(other):
        return False
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(is_same_literal, one, other))
    if isinstance(one, dict):
        theirs = {_typed_key(key): value for key, value in other.items()}
        return len(one) == len(other) and all(
            (kind := _typed_key(key)) in theirs and is_same_literal(value, theirs[kind])
            for key, value in one.items()
        )
    if isinstance(one, (set, frozenset)):
        return set(map(_typed_key, one)) == set(map(_typed_key, other))
    return bool(one == other)


def _typed_key(key: Any) -> Hashable:
    """Return something that is equal for two keys where they are the same, types and all."""
    return (tuple, *map(_typed_key, key)) if isinstance(key, tuple) else (type(key), key)


def _extract_expected(stated: str) -> str:
    """Return what an assertion says the output is; of anything else, all of it.

    "f(1) == 2" says it, and nothing that says more, or else: a chain (f(1) == 2 == 3), two joined
    by "and" or "or", a left side that is a value itself. What stands behind # says nothing.

    Raises:
        ValueError: it is too long to be read.
    """
    _check_length(stated)
    bare = stated.removesuffix("```").strip()
    if bare.startswith("```"):
        bare = bare.removeprefix("```").removeprefix("python").strip()
    try:
        tree = parse_source(bare)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return bare
    (node,) = tree.body if len(tree.body) == 1 else (None,)
    compared = node.value if isinstance(node, ast.Expr) else None
    if isinstance(node, ast.Assert) and _is_plain_message(node.msg):
        compared = node.test
    if (
        isinstance(compared, ast.Compare)
        and isinstance(compared.left, (ast.Call, ast.Name))
        and [type(operator) for operator in compared.ops] == [ast.Eq]
    ):
        return ast.get_source_segment(bare, compared.comparators[0]) or bare
    return bare


def _is_plain_message(message: ast.expr | None) -> bool:
    """Whether what an assertion says where it fails is nothing, or a text."""
    return message is None or (isinstance(message, ast.Constant) and isinstance(message.value, str))


def _check_length(text: str) -> None:
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"longer than {MAX_CHARACTERS} characters")
