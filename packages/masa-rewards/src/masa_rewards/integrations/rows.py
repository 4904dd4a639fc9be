"""Data set rows with both prompts of every problem, next to one another.

For stacks that draw a batch from consecutive rows: without shuffling, the prompts of a problem are
in the same batch, where `samples` joins them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from random import Random
from typing import TypedDict

from masa_rewards.integrations.samples import Kind
from masa_rewards.integrations.targets import warn_of_targets
from masa_rewards.prompt.meta_prompt import MetaPrompt
from masa_rewards.prompt.wording import SOLUTION_TEMPLATE


class PromptRow(TypedDict):
    """One row of the data set: a prompt, and what its rollouts are judged by.

    Attributes:
        prompt: The prompt: a user's turn, or text.
        kind: "solution" or "meta".
        problem_id: Joins the rows of a problem.
        problem: The problem statement.
        answer: The right answer.
    """

    prompt: list[dict[str, str]] | str
    kind: Kind
    problem_id: str
    problem: str
    answer: str


def paired_rows(
    problems: Iterable[Mapping[str, object]],
    prompt: MetaPrompt,
    *,
    solution_template: str = SOLUTION_TEMPLATE,
    solution_rows: int = 1,
    chat: bool = True,
    seed: int | None = None,
) -> list[PromptRow]:
    r"""Render the solution prompt and the meta prompt of every problem.

    Examples:
        >>> rows = paired_rows([{"problem": "What is 2 + 3?", "answer": "5"}], MetaPrompt())
        >>> [(row["kind"], row["problem_id"]) for row in rows]
        [('solution', '0'), ('meta', '0')]
        >>> rows[0]["prompt"][0]["content"][:14]
        'What is 2 + 3?'

    Args:
        problems: The P problems: "problem" and "answer", and "problem_id" where there is one; else
            the id is the position, from "0".
        prompt: Words the meta prompt. Read the answers with the same one.
        solution_template: The solution prompt, with `{problem}` in it.
        solution_rows: Solution rows a problem, >= 1, where a stack makes the same number n of
            rollouts of every row: n meta rollouts are judged by n * solution_rows solutions.
        chat: Prompts as a user's turn; False gives text, for a model without a chat template.
        seed: Shuffles the problems; None leaves their order.

    Returns:
        P * (solution_rows + 1) rows: of each problem its solution rows, then its meta row. A
        warning says how many answers cannot be compared by value, if any.

    Raises:
        ValueError: If a problem has no statement or no answer, two have one id, the template has no
            `{problem}`, or `solution_rows` is less than 1.
    """
    check_template(solution_template)
    if solution_rows < 1:
        raise ValueError(f"solution_rows must be at least 1: got {solution_rows!r}")
    numbered = list(_number_problems(problems))
    warn_of_targets(answer for _, _, answer in numbered)
    if seed is not None:
        Random(seed).shuffle(numbered)
    rows: list[PromptRow] = []
    for problem_id, problem, answer in numbered:
        solution = solution_template.replace("{problem}", problem)
        asked: list[tuple[Kind, str]] = [("solution", solution)] * solution_rows
        for kind, text in [*asked, ("meta", prompt.render(problem))]:
            rows.append(
                PromptRow(
                    prompt=[{"role": "user", "content": text}] if chat else text,
                    kind=kind,
                    problem_id=problem_id,
                    problem=problem,
                    answer=answer,
                )
            )
    return rows


def check_template(solution_template: str) -> None:
    """Refuse a solution prompt without a place for the problem.

    Raises:
        ValueError: If it does not hold `{problem}`.
    """
    if "{problem}" not in solution_template:
        raise ValueError(f"solution_template must hold '{{problem}}': got {solution_template!r}")


def _number_problems(problems: Iterable[Mapping[str, object]]) -> Iterable[tuple[str, str, str]]:
    seen: set[str] = set()
    for position, entry in enumerate(problems):
        problem, answer = (
            _require_string(entry.get("problem")),
            _require_string(entry.get("answer")),
        )
        problem_id = str(entry.get("problem_id", position))
        if not problem.strip() or not answer.strip():
            raise ValueError(
                f"problem {problem_id!r} needs a 'problem' and an 'answer' that are not blank: got "
                f"{dict(entry)!r}"
            )
        if problem_id in seen:
            raise ValueError(f"two problems have the id {problem_id!r}: give each its own")
        seen.add(problem_id)
        yield problem_id, problem, answer


def _require_string(value: object) -> str:
    return "" if value is None else str(value)
