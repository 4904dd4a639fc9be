"""Worked solutions of procedural problems end in the answer, and each of their steps holds."""

import re

import pytest
from masa_openrlhf.config.sections import ReasoningGymConfig
from masa_openrlhf.procedural.problems import make_problems
from masa_openrlhf.procedural.worked import write_worked_solution

TASKS = ("chain_sum", "gcd", "leg_counting", "letter_counting", "products", "gsm_symbolic")
STEP = re.compile(r"([-+*\d ]*[-+*][-+*\d ]*) = (-?\d+)(?=\.)|(\d+) = (\d+ \* \d+ \+ \d+)\.")


@pytest.fixture(scope="module")
def made():
    pytest.importorskip("reasoning_gym")
    settings = ReasoningGymConfig(problems=40)
    return {
        task: make_problems(f"reasoning_gym:{task}", settings, held_out=False) for task in TASKS
    }


@pytest.mark.parametrize("task", TASKS)
def test_each_ends_in_the_answer(made, task):
    found = made[task]
    assert set(found.worked) == {problem.id for problem in found.problems}
    for problem in found.problems:
        numbers = re.findall(r"-?\d+", found.worked[problem.id].replace(",", ""))
        assert numbers[-1] == problem.answer or task == "gsm_symbolic"


@pytest.mark.parametrize("task", ["chain_sum", "gcd", "leg_counting", "products"])
def test_each_step_holds(made, task):
    steps = 0
    for way in made[task].worked.values():
        for left, right, number, division in STEP.findall(way):
            assert eval(left or division) == int(right or number)
            steps += 1
    assert steps >= 40


def test_three_numbers_have_the_divisor_of_all():
    assert write_worked_solution("gcd", {"numbers": [12, 18, 27]}) == (
        "18 = 1 * 12 + 6. 12 = 2 * 6 + 0. 27 = 4 * 6 + 3. 6 = 2 * 3 + 0. "
        "The greatest common divisor is 3."
    )


def test_a_task_without_a_way_has_none():
    assert write_worked_solution("lcm", {"numbers": [2, 3]}) == ""
