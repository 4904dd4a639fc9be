"""Each published form, from a small file in that form."""

import json
from pathlib import Path

import pytest
from masa_openrlhf.config.sections import DataConfig
from masa_openrlhf.data.errors import DataError
from masa_openrlhf.data.forms import FORMS, find_subset, render_table
from masa_openrlhf.data.problems import load_problems
from masa_rewards import AnswerVerifier

from tests.masa_openrlhf.data_rows import ROWS, SECOND_GOLDS, write_lines, write_table

DOCS = Path(__file__).parents[2] / "docs" / "guides" / "data.md"
NAMES = sorted({form.name for form in FORMS})
THREE_QUARTERS = "\\frac{3}{4}"


def test_every_form_has_rows_to_try_it_on():
    assert sorted(ROWS) == NAMES


@pytest.fixture(scope="module")
def verifier():
    with AnswerVerifier() as verifier:
        yield verifier


@pytest.mark.parametrize("name", NAMES)
def test_a_right_answer_is_right_in_every_form(tmp_path, verifier, name):
    loaded = load_problems(write_lines(tmp_path / "rows.jsonl", *ROWS[name]), DataConfig())
    assert loaded.read_as.partition(": ")[0] == name
    assert (loaded.left_out, loaded.doubtful) == ({}, {})
    assert [problem.answer for problem in loaded.problems] == [
        "42",
        SECOND_GOLDS.get(name, THREE_QUARTERS),
    ]
    second = {"2,400": "2400", "34": "34", THREE_QUARTERS: "0.75"}[loaded.problems[1].answer]
    stated = ["42", second]
    for problem, answer in zip(loaded.problems, stated, strict=True):
        assert verifier.verify(f"So it is \\boxed{{{answer}}}.", problem.answer).correct
        assert not verifier.verify("So it is \\boxed{41}.", problem.answer).correct


@pytest.mark.parametrize("name", NAMES)
def test_a_table_reads_as_the_lines_do(tmp_path, name):
    rows = [row for row in ROWS[name] if not isinstance(row, dict) or "34" not in str(row)]
    from_lines = load_problems(write_lines(tmp_path / "a.jsonl", *rows), DataConfig())
    from_table = load_problems(write_table(tmp_path / "a.parquet", rows), DataConfig())
    (tmp_path / "a.json").write_text(json.dumps(rows), encoding="utf-8")
    from_list = load_problems(str(tmp_path / "a.json"), DataConfig())
    assert from_lines == from_table == from_list


def test_an_instruction_around_the_problem_is_taken_off(tmp_path):
    name = "DAPO-17k and verl's own files"
    loaded = load_problems(write_lines(tmp_path / "a.jsonl", *ROWS[name]), DataConfig())
    assert [problem.text for problem in loaded.problems] == ["What is 6 times 7?", "Halve 68."]
    assert loaded.unwrapped == 2


def test_ids_are_those_of_the_form(tmp_path):
    loaded = load_problems(write_lines(tmp_path / "a.jsonl", *ROWS["MATH-500"]), DataConfig())
    assert [problem.id for problem in loaded.problems] == [
        "test/prealgebra/1.json",
        "test/algebra/2.json",
    ]
    loaded = load_problems(write_lines(tmp_path / "b.jsonl", *ROWS["GSM8K"]), DataConfig())
    assert [problem.id for problem in loaded.problems] == ["0", "1"]


WRONG = {
    "GSM8K": (
        [
            {
                "question": "6 times 7?",
                "answer": "Six sevens are, as everybody in the class knows, 42",
            }
        ],
        "1 of 1 gold answers .* \\(1 sentence\\).*data.answer_key",
    ),
    "GSM8K without an end": (
        [{"question": "6 times 7?", "answer": "Six sevens.\n####"}],
        "none of 1 rows can be used \\(1 nothing behind ####\\)",
    ),
    "MATH": (
        [{"problem": "6 times 7?", "level": "1", "type": "a", "solution": "It is 42."}],
        "\\(1 no boxed answer in the solution\\).*'solution' holds 'It is 42.'",
    ),
    "NuminaMath-1.5": (
        [
            {"problem": "Show it.", "answer": "proof", "question_type": "proof"},
            {"problem": "Find it.", "answer": "notfound", "question_type": "math-word-problem"},
        ],
        "2 of 2 gold answers .* \\(2 placeholder\\); the first is 'proof', of problem '0'",
    ),
    "DAPO-17k": (
        [
            {
                "prompt": [{"role": "user", "content": "6 times 7?"}],
                "reward_model": {"style": "rule"},
            }
        ],
        "has none of the columns reward_model.ground_truth.*it has prompt, reward_model, "
        "reward_model.style. Name the one that holds the answer: data.answer_key",
    ),
    "DeepScaleR": (
        [{"problem": "6 times 7?", "answer": None, "solution": None}],
        "none of 1 rows can be used \\(1 no answer\\).*'answer' holds None",
    ),
    "Big-Math": (
        [{"problem": "6 times 7?", "answer": "\\frac{42", "llama8b_solve_rate": 0.5}],
        "1 of 1 gold answers .* the first is '\\\\\\\\frac{42'",
    ),
    "Open-R1": (
        [{"problem": None, "answer": "42", "generations": ["42"]}],
        "none of 1 rows can be used \\(1 no problem\\)",
    ),
    "ORZ": (
        [[{"from": "human", "value": "6 times 7?"}, {"from": "assistant", "value": "42"}]],
        "it has 0, 0.from, 0.value, 1, 1.from, 1.value. Name the one that holds the problem",
    ),
    "a list in JSON": (
        [{"problem": "6 times 7?", "answer": '["42", "forty-two"]'}],
        "\\(1 a JSON list of several answers\\)",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_row_of_each_form_is_refused(tmp_path, name):
    rows, message = WRONG[name]
    source = write_lines(tmp_path / "rows.jsonl", *rows)
    with pytest.raises(DataError, match=message) as refused:
        load_problems(source, DataConfig())
    assert source in str(refused.value)


def test_the_subset_of_a_known_name():
    assert find_subset("openai/gsm8k") == "main"
    assert find_subset("AI-MO/NuminaMath-1.5") is None
    assert find_subset("nobody/nothing") is None


def test_the_docs_have_the_table():
    assert render_table() in DOCS.read_text("utf-8"), "python -m masa_openrlhf.data.forms"


def test_the_docs_name_what_is_taken_off_and_left_out():
    from masa_openrlhf.data.statements import INSTRUCTIONS

    text = " ".join(DOCS.read_text("utf-8").split())
    for instruction in INSTRUCTIONS:
        assert instruction.name in text
