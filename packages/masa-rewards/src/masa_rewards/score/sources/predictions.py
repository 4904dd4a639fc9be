"""Which rows of a log answer the meta prompt, and of which problem."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from masa_rewards.prompt.meta_prompt import MetaPrompt
from masa_rewards.prompt.wording import PROBLEM, SOLUTION_TEMPLATE

_PLACEHOLDER = re.compile(r"\\\{[a-z_]+\\\}")
_ROLES = re.compile(r"\A\s*(?:(?:system|user|human)\s*\n)+|\n\s*assistant\s*(?:<think>\s*)?\Z")


def find_asked_problem(prompt: MetaPrompt, text: str) -> str | None:
    r"""Return the problem that a text asks to predict the attempts of; None where it does not.

    Examples:
        >>> meta = MetaPrompt(max_length=512)
        >>> find_asked_problem(MetaPrompt(), "user\n" + meta.render("2 + 2?") + "\nassistant\n")
        '2 + 2?'

    Args:
        prompt: Its wording is what is looked for; its numbers may be others than in the text.
        text: A prompt as it was read by the policy, with or without the words of a chat template.
    """
    match = _compile_wording(prompt.wording).search(text)
    return None if match is None else _strip_roles(match[1])


def strip_solution_prompt(text: str) -> str:
    r"""Return the problem of a solution prompt, as far as the words around it are known.

    These are the default solution prompt and the names of roles that are left of a chat template.

    Examples:
        >>> strip_solution_prompt("user\n" + SOLUTION_TEMPLATE.replace(PROBLEM, "2 + 2?"))
        '2 + 2?'
    """
    after = SOLUTION_TEMPLATE.partition(PROBLEM)[2]
    held, found, _ = text.rpartition(after)
    return _strip_roles(held if found else text) or text


def find_asked(text: str, asked: Iterable[str]) -> str | None:
    """Return which of the problems that predictions were asked of a solution prompt is of.

    Args:
        text: A solution prompt.
        asked: Problems of meta prompts. Behind one there may be what a chat template ends with.

    Returns:
        The longest one that stands in the prompt, or begins with its problem; None where none does.
    """
    problem = strip_solution_prompt(text)
    held = [
        each
        for each in asked
        if each in text or (each.startswith(problem) and "\n" in each[len(problem) :][:2])
    ]
    return max(held, key=len, default=None)


def _strip_roles(text: str) -> str:
    return _ROLES.sub("", text).strip()


@lru_cache(maxsize=8)
def _compile_wording(wording: str) -> re.Pattern[str]:
    before, after = (
        _PLACEHOLDER.sub(r"[^\\n]{0,400}?", re.escape(part.strip()))
        for part in wording.split(PROBLEM)
    )
    end = after or r"\Z"
    return re.compile(rf"{before}\s*(.*?)\s*{end}", re.DOTALL)
