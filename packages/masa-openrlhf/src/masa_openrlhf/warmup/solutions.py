r"""The first stage: solution prompt, and a worked solution that ends in the boxed answer.

Every demonstration is judged as the run judges before it is shown: what it would not count
as right is no demonstration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from masa_control import SOLUTION, EpisodeSettings, Problem
from masa_rewards.verify.extraction import find_answer

from masa_openrlhf.warmup.demonstrations import TextDemonstration
from masa_openrlhf.warmup.judging import SolutionJudge


def write_solution(gold: str, worked: str = "") -> str:
    r"""Return a solution that ends in the form that the verifier reads.

    Examples:
        >>> write_solution("5", "2 + 3 = 5.")
        '2 + 3 = 5.\n\nThe answer is $\\boxed{5}$.'

    Args:
        gold: the right answer.
        worked: a worked solution; "" for a sentence with the answer. One that has a box already is
            left as it is.
    """
    if worked and find_answer(worked, "boxed") is not None:
        return worked
    ending = f"The answer is $\\boxed{{{gold}}}$."
    return f"{worked}\n\n{ending}" if worked else ending


def make_solution_demonstrations(
    problems: Sequence[Problem],
    worked: Mapping[str, str],
    settings: EpisodeSettings,
    judge: SolutionJudge,
) -> list[TextDemonstration]:
    """Return a demonstration for each problem; none for one whose gold is not judged right.

    Args:
        problems: with their gold answers.
        worked: worked solutions, by id. One whose own box holds another answer than the gold is
            not shown: a sentence with the gold answer is.
        settings: the run's, for the wording of the prompt.
        judge: judges as the run does.
    """
    full = [write_solution(p.answer, worked.get(p.id, "")) for p in problems]
    short = [write_solution(p.answer) for p in problems]
    full_right = judge.judge_all(list(zip(problems, full, strict=True)))
    short_right = judge.judge_all(list(zip(problems, short, strict=True)))
    shown = []
    for i, problem in enumerate(problems):
        if full_right[i].correct or short_right[i].correct:
            response = full[i] if full_right[i].correct else short[i]
            prompt = settings.solution_prompt(problem)
            shown.append(TextDemonstration(SOLUTION, problem.id, prompt, response))
    return shown
