"""What the first stage shows: worked solutions that the run's verifier counts as right."""

import json

import pytest
from masa_control import EpisodeSettings, Problem
from masa_openrlhf.config.sections import DataConfig, ReasoningGymConfig, VerifierConfig
from masa_openrlhf.data.errors import DataError
from masa_openrlhf.data.problems import load_problems
from masa_openrlhf.warmup.judging import SolutionJudge
from masa_openrlhf.warmup.solutions import make_solution_demonstrations, write_solution
from masa_openrlhf.warmup.worked_solutions import find_worked_solution, read_worked_solutions

PROBLEMS = [
    Problem(id="a", text="2 + 3?", answer="5"),
    Problem(id="b", text="Half of 9?", answer="4.5"),
    Problem(id="c", text="7 - 1?", answer="6"),
]


@pytest.mark.parametrize(
    ("row", "key", "worked"),
    [
        ({"problem": "?", "solution": " 2 + 3 = 5. "}, None, "2 + 3 = 5."),
        ({"question": "?", "answer": "4/2 = <<4/2=2>>2 cups.\n#### 2"}, None, "4/2 = 2 cups."),
        ({"question": "?", "answer": "4/2 = 2.\n#### 2"}, "extra.steps", ""),
        ({"problem": "?", "extra": {"steps": "Add."}, "solution": "No."}, "extra.steps", "Add."),
        ({"problem": "?", "solution": None, "answer": "5"}, None, ""),
        ({"problem": "?", "solution": 5, "answer": 5}, None, ""),
    ],
)
def test_a_worked_solution_is_found_in_its_column(row, key, worked):
    assert find_worked_solution(row, key) == worked


def write_rows(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def test_a_row_belongs_to_the_problem_whose_statement_it_has(tmp_path):
    source = write_rows(
        tmp_path / "rows.jsonl",
        {"prompt": [{"role": "user", "content": "2 + 3? "}], "answer": "5", "solution": "Add."},
        {"problem": "nobody's", "answer": "1", "solution": "Guess."},
        {"question": "7 - 1?", "answer": "6", "solution": ""},
    )
    assert read_worked_solutions(source, DataConfig(), None, PROBLEMS) == {"a": "Add."}


def test_a_column_that_is_not_there_is_refused_by_name(tmp_path):
    source = write_rows(tmp_path / "rows.jsonl", {"problem": "2 + 3?", "answer": "5"})
    assert read_worked_solutions(source, DataConfig(), None, PROBLEMS) == {}
    with pytest.raises(DataError, match=r"no text in a column 'steps' \(warmup.solution_key\)"):
        read_worked_solutions(source, DataConfig(), "steps", PROBLEMS)


def test_a_solution_ends_in_the_box():
    assert write_solution("5") == "The answer is $\\boxed{5}$."
    assert write_solution("5", "Add.") == "Add.\n\nThe answer is $\\boxed{5}$."
    assert write_solution("5", "So \\boxed{5}.") == "So \\boxed{5}."


def test_every_demonstration_is_right_by_the_verifier():
    worked = {"a": "2 + 3 = 5.", "b": "So \\boxed{4}."}
    settings = EpisodeSettings()
    with SolutionJudge(VerifierConfig(workers=1)) as judge:
        shown = make_solution_demonstrations(PROBLEMS, worked, settings, judge)
        verdicts = judge.judge_all(
            [(p, one.response) for p, one in zip(PROBLEMS, shown, strict=True)]
        )
    assert all(verdict.correct for verdict in verdicts)
    assert [one.response for one in shown] == [
        "2 + 3 = 5.\n\nThe answer is $\\boxed{5}$.",
        "The answer is $\\boxed{4.5}$.",  # its own box is wrong
        "The answer is $\\boxed{6}$.",
    ]
    assert [one.prompt for one in shown] == [settings.solution_prompt(p) for p in PROBLEMS]


def test_a_gold_that_breaks_the_box_is_not_shown():
    odd = [Problem(id="d", text="?", answer="}5{")]
    with SolutionJudge(VerifierConfig(workers=1)) as judge:
        assert make_solution_demonstrations(odd, {}, EpisodeSettings(), judge) == []


def test_what_reasoning_gym_makes_is_judged_by_its_scorer():
    pytest.importorskip("reasoning_gym")
    loaded = load_problems(
        "reasoning_gym:fraction_simplification",
        DataConfig(reasoning_gym=ReasoningGymConfig(problems=4)),
    )
    problem = loaded.problems[0]
    assert loaded.scorers
    with SolutionJudge(VerifierConfig(workers=1), loaded.scorers) as judge:
        shown = make_solution_demonstrations(loaded.problems, {}, EpisodeSettings(), judge)
        (wrong,) = judge.judge_all([(problem, "The answer is $\\boxed{1/97}$.")])
    assert [one.problem for one in shown] == [one.id for one in loaded.problems]
    assert not wrong.correct
