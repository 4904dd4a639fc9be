"""Every benchmark, in its exact form: read, asked, and judged with answers as models write them."""

import re

import pytest
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.eval.benchmarks.registry import (
    BENCHMARKS_BY_NAME,
    FAMILIES,
    PAPER_BENCHMARKS,
    choose_benchmarks,
)
from masa_openrlhf.eval.benchmarks.rows import describe_source, read_rows
from masa_openrlhf.eval.config import EvaluationConfig, SandboxConfig
from masa_openrlhf.eval.engine.model_source import ModelSource
from masa_openrlhf.eval.errors import EvalError
from masa_openrlhf.eval.graders.cases import CasesGrader
from masa_openrlhf.eval.graders.choice import ChoiceGrader
from masa_openrlhf.eval.graders.literal import LiteralGrader
from masa_openrlhf.eval.graders.maths import MathsGrader
from masa_openrlhf.eval.graders.number import NumberGrader
from masa_openrlhf.eval.graders.program import ProgramGrader
from masa_openrlhf.eval.questions import load_questions
from masa_rewards import AnswerVerifier

from tests.masa_openrlhf.eval.factories import REAL_DATA, RIGHT_ANSWERS, ROWS, write_benchmark

MODEL = ModelSource("m", "m", TrainConfig(), trained=False)
CHOICE = [entry.name for entry in PAPER_BENCHMARKS if entry.grader == "choice"]


def questions(name, folder, **settings):
    config = EvaluationConfig(data=folder, **settings)
    return load_questions(BENCHMARKS_BY_NAME[name], config, MODEL)


@pytest.fixture(scope="module")
def graders():
    limits = SandboxConfig(seconds=30)
    with AnswerVerifier() as verifier:
        yield {
            "maths": MathsGrader(verifier),
            "choice": ChoiceGrader(),
            "number": NumberGrader(),
            "literal": LiteralGrader(),
            "tests": ProgramGrader(limits),
            "cases": CasesGrader(limits),
        }


def test_there_are_the_papers_nineteen():
    assert len(PAPER_BENCHMARKS) == len({entry.name for entry in PAPER_BENCHMARKS}) == 19
    assert {family: len(entries) for family, entries in FAMILIES.items()} == {
        "maths": 6,
        "logic": 5,
        "science": 4,
        "code": 4,
        "all": 19,
    }
    for entry in PAPER_BENCHMARKS:
        assert entry.source.hub or entry.source.address
        assert entry.protocol
        assert entry.licence
        assert entry.questions > 0


def test_names_and_families_are_chosen_once_and_in_order():
    assert [e.name for e in choose_benchmarks("gpqa, AIME24 ,gpqa")] == ["gpqa", "aime24"]
    assert [e.name for e in choose_benchmarks("math500,maths")][:2] == ["math500", "aime24"]
    assert len(choose_benchmarks("all")) == 19
    with pytest.raises(
        EvalError, match="no benchmark 'aime26'; there are aime24, .*families maths"
    ):
        choose_benchmarks("aime26")
    with pytest.raises(EvalError, match="' , ' names none"):
        choose_benchmarks(" , ")


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("suffix", [".jsonl", ".parquet", ".json"])
def test_a_file_of_its_form_is_read_whatever_the_format(name, suffix, tmp_path):
    if suffix == ".parquet" and name == "evalplus":
        suffix = ".jsonl"  # rows of two data sets have no one schema
    write_benchmark(tmp_path, name, suffix=suffix)
    asked = questions(name, tmp_path)
    assert len(asked.questions) == len(ROWS[name])
    assert asked.unusable == {}
    for question in asked.questions:
        assert question.statement.split("\n\nA) ")[0] in question.prompt
        assert "{" + "statement}" not in question.prompt
        for option in question.options:
            assert option in question.prompt
    assert f"{name}{suffix} (sha256 " in asked.where


@pytest.mark.parametrize("name", ROWS)
def test_the_right_answer_is_right_and_another_is_not(name, tmp_path, graders):
    write_benchmark(tmp_path, name)
    asked = questions(name, tmp_path)
    grader = graders[BENCHMARKS_BY_NAME[name].grader]
    for number, question in enumerate(asked.questions):
        if name in CHOICE:
            right = f"\\boxed{{{question.gold}}}"
            wrong = f"\\boxed{{{'B' if question.gold == 'A' else 'A'}}}"
        else:
            right, wrong = (
                RIGHT_ANSWERS[name][number],
                "\\boxed{3}[ANSWER]3[/ANSWER]\n```\nx = 3\n```",
            )
        assert grader.grade(question, right).status == "correct"
        assert grader.grade(question, "<think>" + wrong + "</think>" + right).status == "correct"
        assert grader.grade(question, wrong).status == "incorrect"
        assert grader.grade(question, right + "\n" + wrong).status != "correct"
        for nothing in ("", "I do not know.", question.gold, "The answer is A B C D E F 1 2 3."):
            assert grader.grade(question, nothing).status == "unparsable"


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("prontoqa", "False"),
        ("proofwriter", "Unknown"),
        ("folio", "True"),
        ("logicaldeduction", "y"),
        ("arlsat", "Nita"),
        ("gpqa", "10^-4 eV"),
        ("rbench", "choice F"),
        ("arc", "days"),
    ],
)
def test_the_gold_is_the_choice_that_the_row_says(name, right, tmp_path):
    write_benchmark(tmp_path, name)
    for seed in range(8):
        (question,) = questions(name, tmp_path, seed=seed).questions
        assert question.options["ABCDEF".index(question.gold)] == right
        assert f"{question.gold}) {right}" in question.prompt


@pytest.mark.parametrize("name", CHOICE)
def test_always_a_scores_chance_on_every_multiple_choice_set(name, tmp_path, graders):
    """600 questions whose gold is always in the same place: 5 standard deviations."""
    row = ROWS[name][0]
    key = {"gpqa": "Record ID", "rbench": "index"}.get(name, "id")
    write_benchmark(tmp_path, name, [{**row, key: f"q{number}"} for number in range(600)])
    found = questions(name, tmp_path).questions
    choices = len(found[0].options)
    right = sum(graders["choice"].grade(q, "\\boxed{A}").status == "correct" for q in found)
    sure = 5 * (600 / choices * (1 - 1 / choices)) ** 0.5
    assert abs(right - 600 / choices) < sure
    other = questions(name, tmp_path, seed=1).questions
    assert [q.gold for q in other] != [q.gold for q in found]
    assert [q.gold for q in questions(name, tmp_path).questions] == [q.gold for q in found]


@pytest.mark.parametrize("name", ["prontoqa", "logicaldeduction"])
@pytest.mark.skipif(not REAL_DATA.exists(), reason=f"the real data are not there: {REAL_DATA}")
def test_always_a_scores_chance_on_the_real_sets(name, graders):
    found = questions(name, REAL_DATA).questions
    assert len(found) == BENCHMARKS_BY_NAME[name].questions
    right = sum(graders["choice"].grade(q, "\\boxed{A}").status == "correct" for q in found)
    chances = [1 / len(q.options) for q in found]
    sure = 4 * sum(p * (1 - p) for p in chances) ** 0.5
    assert abs(right - sum(chances)) < sure
    for question in found:  # the gold is the text that the source says is right
        place = question.order["ABCDEFG".index(question.gold)]
        assert question.options[question.order.index(place)] in question.prompt


@pytest.mark.skipif(not REAL_DATA.exists(), reason=f"the real data are not there: {REAL_DATA}")
def test_the_gold_of_the_real_sets_is_where_the_source_has_it():
    import json

    rows = json.loads((REAL_DATA / "LogicalDeduction.dev.json").read_text())
    for row, question in zip(rows, questions("logicaldeduction", REAL_DATA).questions, strict=True):
        chosen = question.options["ABCDEFG".index(question.gold)]
        assert f"{row['answer']}) {chosen}" in row["options"]


@pytest.mark.skipif(not REAL_DATA.exists(), reason=f"the real data are not there: {REAL_DATA}")
def test_the_real_aime25(graders):
    found = questions("aime25", REAL_DATA)
    assert (len(found.questions), found.unusable) == (30, {})
    for question in found.questions:
        assert graders["maths"].grade(question, f"\\boxed{{{question.gold}}}").status == "correct"
        assert graders["maths"].grade(question, "\\boxed{1000}").status == "incorrect"


@pytest.mark.parametrize(
    ("name", "change", "why"),
    [
        ("aime24", {"answer": " "}, "answer is blank"),
        ("aime24", {"answer": None}, "answer is no text: None"),
        ("math500", {"answer": "\\frac{}{}"}, "the gold answer cannot be read"),
        ("math500", {"answer": "\\frac{1}{2"}, "the gold answer cannot be read"),
        ("olympiad", {"final_answer": []}, "no list of answers"),
        ("prontoqa", {"answer": "Q"}, "the answer 'Q' is none of A, B"),
        ("folio", {"options": ["A) True", "A) False"]}, "two choices have one label"),
        ("arlsat", {"options": []}, "options is no list"),
        ("gpqa", {"Incorrect Answer 2": ""}, "Incorrect Answer 2 is blank"),
        ("rbench", {"answer": "G"}, "none of A, B, C, D, E, F"),
        ("arc", {"choices": {"text": ["x"]}}, "no text and label"),
        ("scibench", {"answer_number": "2 to 3"}, "answer_number is no number"),
        ("cruxo", {"output": "print(1)"}, "output is no literal"),
        ("mbpp", {"test_list": []}, "no list of tests"),
        ("mbpp", {"code": "def other(): pass"}, "nothing that the reference defines"),
        ("mbpp", {"code": "def add(: pass"}, "is no Python"),
        ("livecodebench", {"private_test_cases": "@@"}, "cannot be unpacked"),
        ("livecodebench", {"public_test_cases": '[{"input": 1}]'}, "no list of input and output"),
    ],
)
def test_a_row_that_cannot_be_asked_is_told_and_never_counts(name, change, why, tmp_path):
    row = ROWS[name][0]
    key = {"gpqa": "Record ID", "rbench": "index", "math500": "unique_id", "mbpp": "task_id"}.get(
        name, "question_id" if name == "livecodebench" else "id"
    )
    write_benchmark(tmp_path, name, [{**row, key: "7"}, {**row, key: "8", **change}])
    asked = questions(name, tmp_path)
    assert len(asked.questions) == 1
    assert list(asked.unusable) == [2]
    assert why in asked.unusable[2]
    write_benchmark(tmp_path, name, [{**row, **change}])
    with pytest.raises(EvalError, match="none of 1 rows can be asked"):
        questions(name, tmp_path)


def test_a_pickle_that_would_do_something_is_refused(tmp_path):
    import base64
    import pickle
    import zlib

    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "written"), "w"))

    packed = base64.b64encode(zlib.compress(pickle.dumps(Evil()))).decode()
    row = {**ROWS["livecodebench"][0], "private_test_cases": packed}
    write_benchmark(tmp_path, "livecodebench", [row, ROWS["livecodebench"][1]])
    asked = questions("livecodebench", tmp_path)
    assert "where a text belongs" in asked.unusable[1]
    assert not (tmp_path / "written").exists()


def test_what_cannot_be_read_is_named_with_the_way_out(tmp_path):
    with pytest.raises(EvalError, match=r"not on the hub .*no --data.*Logic-LLM.*FOLIO\.dev\.json"):
        questions("folio", None)
    with pytest.raises(EvalError, match=r"has none\): fetch it"):
        questions("folio", tmp_path)
    with pytest.raises(EvalError, match="is not a folder"):
        questions("folio", tmp_path / "none")
    (tmp_path / "folio.jsonl").write_text('{"question": "x"}\n')
    with pytest.raises(
        EvalError, match="no column 'context', 'options', 'answer'; it has question"
    ):
        questions("folio", tmp_path)
    (tmp_path / "folio.jsonl").write_text("{\n")
    with pytest.raises(EvalError, match=r"folio.jsonl, line 1 is not JSON"):
        questions("folio", tmp_path)
    (tmp_path / "arc.json").write_text("{}")
    with pytest.raises(EvalError, match="must hold a list of questions, not a dict"):
        questions("arc", tmp_path)
    (tmp_path / "gpqa.parquet").write_text("x")
    with pytest.raises(EvalError, match="cannot be read as parquet"):
        questions("gpqa", tmp_path)
    write_benchmark(tmp_path, "arlsat", [ROWS["arlsat"][0]] * 2)
    with pytest.raises(EvalError, match="1 ids stand in several rows, as 'ar_lsat_1'"):
        questions("arlsat", tmp_path)
    with pytest.raises(EvalError, match="the benchmark tiny is for MODEL tiny"):
        questions("tiny", None)


def test_every_data_set_of_the_hub_is_pinned_to_a_whole_commit():
    for entry in PAPER_BENCHMARKS:
        source = entry.source
        hubs = ((source.hub, source.revision), *source.more_hubs) if source.hub else ()
        for name, revision in hubs:
            assert re.fullmatch("[0-9a-f]{40}", revision or ""), name
            assert f"{name}@{revision}" in describe_source(entry, None)


def test_data_sets_that_make_one_benchmark_are_each_read_at_their_own_commit(monkeypatch):
    import datasets

    asked = {}

    def load(name, subset=None, *, split, revision):
        asked[name] = (subset, split, revision)
        return [{"task_id": name, "prompt": "", "test": ""}]

    monkeypatch.setattr(datasets, "load_dataset", load)
    rows = read_rows(BENCHMARKS_BY_NAME["evalplus"], None)
    assert [row["task_id"] for row in rows] == ["evalplus/humanevalplus", "evalplus/mbppplus"]
    assert asked == {
        "evalplus/humanevalplus": (None, "test", "d32357cf319e50e9c8d8dab5ea876c72b0fd321b"),
        "evalplus/mbppplus": (None, "test", "b2d74c91837c3f2a20c1299ae98133cbe7cfa077"),
    }


def test_the_hub_is_asked_for_the_pinned_revision(monkeypatch):
    import datasets

    asked = []

    def load(*arguments, **keywords):
        asked.append((arguments, keywords))
        raise ConnectionError("no network")

    monkeypatch.setattr(datasets, "load_dataset", load)
    for name, wanted in (
        ("gpqa", (("Idavidrein/gpqa", "gpqa_diamond"), "5233cd1db58884ed0bf678c7c6be731722a23f84")),
        ("aime25", (("math-ai/aime25", None), "563bb8404243c5f09de6ec262f2db674fe5bce9b")),
        ("scibench", (("xw27/scibench", None), "93931252bc1b71d495e67390235940643d926958")),
    ):
        with pytest.raises(EvalError, match=r"cannot be read \(ConnectionError: no network\); put"):
            questions(name, None)
        assert (asked[-1][0], asked[-1][1]["revision"]) == wanted
    with pytest.raises(EvalError, match="livecodebench"):
        questions("livecodebench", None)
    (file,) = asked[-1][1]["data_files"]
    assert file.startswith("hf://datasets/livecodebench/code_generation_lite@0fe84c3912")
    assert file.endswith("/test.jsonl")


def test_the_first_so_many(tmp_path):
    write_benchmark(tmp_path, "mbpp", [{**ROWS["mbpp"][0], "task_id": i} for i in range(5)])
    found = questions("mbpp", tmp_path, max_questions=2).questions
    assert [q.id for q in found] == ["0", "1"]


def test_the_maths_prompt_is_the_solution_prompt_of_the_run(tmp_path):
    write_benchmark(tmp_path, "aime24")
    (question,) = questions("aime24", tmp_path).questions
    assert question.prompt == TrainConfig().solution.template.replace(
        "{problem}", "Find $x$ with $x - 200 = 4$."
    )


def test_braces_in_a_problem_stay_as_they_are(tmp_path):
    write_benchmark(tmp_path, "aime24", [{"problem": "Is {statement} {choices}?", "answer": "1"}])
    (question,) = questions("aime24", tmp_path).questions
    assert "Is {statement} {choices}?" in question.prompt


def test_a_thousands_separator_in_a_gold_of_scibench_is_no_decimal_point():
    row = {**ROWS["scibench"][0], "answer_number": "−1,200.5"}
    assert BENCHMARKS_BY_NAME["scibench"].read(row, 0).gold == "-1200.5"
