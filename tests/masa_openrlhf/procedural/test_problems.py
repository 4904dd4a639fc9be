"""Problems made by reasoning-gym, with the library itself."""

import asyncio
import builtins
import json
import sys
import time

import pytest
from masa_openrlhf.config.sections import DataConfig, ReasoningGymConfig
from masa_openrlhf.data.errors import DataError
from masa_openrlhf.data.problems import load_problems, write_problems
from masa_openrlhf.procedural.answers import is_expression, list_readings
from masa_openrlhf.procedural.problems import ScoredItem, make_problems
from masa_openrlhf.procedural.scorer import TaskScorer
from masa_openrlhf.procedural.tasks import NamedTask, parse_tasks

needs_library = pytest.mark.skipif(
    sys.version_info < (3, 11), reason="reasoning-gym needs Python 3.11"
)
FEW = ReasoningGymConfig(problems=20, held_out=10)


def test_what_a_source_names():
    assert parse_tasks("reasoning_gym:chain_sum,gcd") == [
        NamedTask("chain_sum", {}),
        NamedTask("gcd", {}),
    ]
    assert parse_tasks("reasoning_gym: chain_sum(max_terms=3, allow_negation=True), lcm") == [
        NamedTask("chain_sum", {"max_terms": 3, "allow_negation": True}),
        NamedTask("lcm", {}),
    ]


@pytest.mark.parametrize(
    "tasks", ["", "chain_sum,", "chain-sum", "chain_sum(3)", "a(b=open('x'))", "a.b", "a(**b)"]
)
def test_what_names_no_tasks_is_refused(tasks):
    if tasks == "chain_sum,":  # a comma more is no fault
        assert parse_tasks("reasoning_gym:chain_sum,") == [NamedTask("chain_sum", {})]
        return
    with pytest.raises(DataError, match="names no tasks: the form is reasoning_gym:TASK"):
        parse_tasks(f"reasoning_gym:{tasks}")


def test_a_missing_library_is_named_with_its_command(monkeypatch):
    real = builtins.__import__

    def refuse(name, *rest, **more):
        if name == "reasoning_gym":
            raise ModuleNotFoundError("No module named 'reasoning_gym'", name="reasoning_gym")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    message = r"reasoning-gym is not installed: `pip install 'masa-openrlhf\[reasoning-gym\]'`"
    with pytest.raises(DataError, match=message):
        load_problems("reasoning_gym:chain_sum", DataConfig())


@needs_library
def test_the_tasks_in_turn_and_the_same_again():
    made = make_problems("reasoning_gym:chain_sum,gcd", FEW, held_out=False)
    assert len(made.problems) == 20
    assert [p.id.partition("-")[0] for p in made.problems[:4]] == ["chain_sum", "gcd"] * 2
    assert len({p.id for p in made.problems}) == len({p.text for p in made.problems}) == 20
    assert made.scorers == {}  # whole numbers are compared
    assert make_problems("reasoning_gym:chain_sum,gcd", FEW, held_out=False) == made
    other = make_problems(
        "reasoning_gym:chain_sum,gcd", FEW.model_copy(update={"seed": 1}), held_out=False
    )
    assert not {p.text for p in other.problems} & {p.text for p in made.problems}


@needs_library
def test_held_out_problems_are_not_trained_on():
    source = "reasoning_gym:chain_sum(min_terms=2,max_terms=2,min_digits=1,max_digits=1)"
    settings = ReasoningGymConfig(problems=150, held_out=150)
    trained = make_problems(source, settings, held_out=False)
    held = make_problems(source, settings, held_out=True)
    assert trained.left_out["repeated"] > 0  # there are 200 such sums
    assert held.left_out["trained on too"] > 0
    assert held.problems
    assert not {p.text for p in held.problems} & {p.text for p in trained.problems}
    many = ReasoningGymConfig(problems=20_000, held_out=10)
    with pytest.raises(DataError, match="all .* held-out problems are trained on too"):
        make_problems(source, many, held_out=True)


@needs_library
def test_parameters_and_levels_make_them_harder():
    def mean_length(source, **settings):
        made = make_problems(source, FEW.model_copy(update=settings), held_out=False)
        return sum(len(p.text) for p in made.problems) / len(made.problems)

    easy = mean_length("reasoning_gym:chain_sum", level=0)
    hard = mean_length("reasoning_gym:chain_sum", level=5)
    named = mean_length("reasoning_gym:chain_sum(min_terms=12,max_terms=12)", level=0)
    assert easy < hard
    assert easy < named


@needs_library
@pytest.mark.parametrize(
    ("source", "settings", "message"),
    [
        ("reasoning_gym:chain_sums", {}, "no task 'chain_sums'; did you mean chain_sum"),
        ("reasoning_gym:chain_sum(terms=3)", {}, "does not make 'chain_sum' with {'terms': 3}"),
        (
            "reasoning_gym:chain_sum(min_terms=5,max_terms=3)",
            {},
            "does not make 'chain_sum' with .*max_terms must be >= min_terms",
        ),
        (
            "reasoning_gym:chain_sum(max_terms=1)",
            {"level": 3},
            "does not make 'chain_sum' .* at level 3",
        ),
    ],
)
def test_what_the_library_does_not_make_is_said(source, settings, message):
    with pytest.raises(DataError, match=message):
        make_problems(source, FEW.model_copy(update=settings), held_out=False)


@needs_library
def test_a_limit_and_the_label_that_the_scorer_is_named_by(tmp_path):
    config = DataConfig(max_problems=3, reasoning_gym=FEW)
    loaded = load_problems("reasoning_gym:fraction_simplification,gcd", config)
    assert len(loaded.problems) == 3
    write_problems(loaded, tmp_path / "train.jsonl")
    lines = (tmp_path / "train.jsonl").read_text("utf-8").splitlines()
    labels = [json.loads(line)["task"] for line in lines]
    assert [bool(label["scorer"]) for label in labels] == [True, False, True]
    assert ScoredItem(*json.loads(labels[0]["scorer"])).answer == labels[0]["answer"]


@pytest.fixture(scope="module")
def scorer():
    made = TaskScorer(workers=1, timeout=10.0, memory_mb=2048)
    yield made
    made.close()


def judge(scorer, item, text):
    return asyncio.run(scorer.bind_item(item).averify(text, "")).status


@needs_library
def test_a_fraction_of_the_same_value_is_not_the_simplified_one(scorer):
    settings = ReasoningGymConfig(problems=8)
    source = "reasoning_gym:fraction_simplification(min_factor=2)"
    made = make_problems(source, settings, held_out=False)
    for problem in made.problems:
        item = made.scorers[problem.id]
        digits = "".join(sign if sign.isdigit() else " " for sign in problem.answer).split()
        above, below = map(int, digits)
        assert judge(scorer, item, f"So \\boxed{{{above}/{below}}}") == "correct"
        assert judge(scorer, item, f"So \\boxed{{\\frac{{{above}}}{{{below}}}}}") == "correct"
        assert judge(scorer, item, f"So \\boxed{{{2 * above}/{2 * below}}}") == "incorrect"
        assert judge(scorer, item, f"So {above}/{below}") == "unparsable"


@needs_library
def test_any_expression_that_reaches_the_target_is_right(scorer):
    item = json.dumps(find_countdown())
    numbers, answer = read_countdown(item)
    assert judge(scorer, item, f"\\boxed{{{answer}}}") == "correct"
    assert (
        judge(scorer, item, f"\\boxed{{({answer.replace('*', chr(92) + 'times ')})}}") == "correct"
    )
    assert (
        judge(scorer, item, f"\\boxed{{{numbers[0]} + {numbers[1]} - {numbers[1]}}}") == "incorrect"
    )


def find_countdown():
    made = make_problems("reasoning_gym:countdown", ReasoningGymConfig(problems=5), held_out=False)
    first = made.problems[0]
    return ScoredItem(*json.loads(made.scorers[first.id]))


def read_countdown(item):
    from masa_openrlhf.procedural.tasks import build_dataset

    one = ScoredItem(*json.loads(item))
    task = NamedTask(one.task, one.parameters)
    metadata = build_dataset(task, seed=one.seed, size=1, level=None)[0]["metadata"]
    return metadata["numbers"], one.answer


@needs_library
def test_an_answer_that_would_run_is_not_run(scorer, tmp_path):
    item = json.dumps(find_countdown())
    touched = tmp_path / "touched"
    for program in (
        f"__import__('pathlib').Path('{touched}').touch()",
        f"open('{touched}', 'w')",
        f"exec(\"open('{touched}', 'w')\")",
        f"(lambda: open('{touched}', 'w'))()",
        f"S.__class__.__mro__[1].__subclasses__() or open('{touched}', 'w')",
    ):
        assert judge(scorer, item, f"\\boxed{{{program}}}") == "unparsable"
    assert not touched.exists()


@needs_library
def test_an_answer_without_a_box_is_read_where_that_is_asked_for():
    item = json.dumps(find_countdown())
    answer = find_countdown().answer
    said = f"The answer is {answer}."
    found = {}
    for extraction in ("boxed", "anchored"):
        scorer = TaskScorer(workers=1, timeout=60.0, memory_mb=2048, extraction=extraction)
        found[extraction] = judge(scorer, item, said)
        scorer.close()
    assert found == {"boxed": "unparsable", "anchored": "correct"}


@needs_library
def test_an_answer_that_takes_forever_is_the_verifiers_fault(tmp_path):
    scorer = TaskScorer(workers=1, timeout=1.0, memory_mb=2048)
    item = json.dumps(find_countdown())
    began = time.monotonic()
    assert judge(scorer, item, "\\boxed{9**9**9**9}") in ("timeout", "error", "incorrect")
    assert time.monotonic() - began < 60
    scorer.close()


@needs_library
def test_another_version_of_the_library_is_noticed(scorer):
    item = json.dumps(find_countdown()._replace(answer="1 + 1"))
    verdict = asyncio.run(scorer.bind_item(item).averify("\\boxed{1}", ""))
    assert verdict.status == "error"
    assert "makes another countdown" in verdict.detail


@pytest.mark.parametrize(
    ("answer", "readings"),
    [
        ("3/4", ["3/4"]),
        ("\\dfrac{3}{4}", ["\\dfrac{3}{4}", "(3)/(4)"]),
        ("$3 \\times 4$", ["$3 \\times 4$", "3 * 4"]),
        ("\\text{Monday}", ["\\text{Monday}", "Monday"]),
        ("\\frac{\\frac{1}{2}}{3}", ["\\frac{\\frac{1}{2}}{3}", "((1)/(2))/(3)"]),
        ("x" * 2001, []),
    ],
)
def test_readings_of_an_answer(answer, readings):
    assert list_readings(answer) == readings


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("3*4 + 2/(1 - 5)", True),
        ("x**2 + sin(x) + C", True),
        ("0.5 + 2.25", True),
        ("open(1)", False),
        ("x.real", False),
        ("(1).real", False),
        ("1 .real", False),
        ("__import__", False),
        ("f(1)(2)", False),
        ("[1][0]", False),
        ("'a'", False),
        ("lambda: 1", False),
    ],
)
def test_what_is_an_expression(text, is_one):
    assert is_expression(text) is is_one
