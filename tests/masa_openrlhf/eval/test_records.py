import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from masa_openrlhf.eval.engine.messages import GeneratedAnswer
from masa_openrlhf.eval.errors import EvalError
from masa_openrlhf.eval.question import Question
from masa_openrlhf.eval.results.records import (
    EvalRecord,
    LeftOutRecord,
    RecordFile,
    make_left_out,
    make_record,
)
from masa_rewards import Verdict
from pydantic import ValidationError

QUESTION = Question("q1", "2 + 2?", "Say: 2 + 2?", "4")
RECORDED = Path(__file__).with_name("records_of_0_1_0.jsonl")
"""Written by the evaluator of commit deae023, of questions and answers made for it."""


def answer(text, tokens=3, truncated=False):
    return GeneratedAnswer(text=text, tokens=tokens, truncated=truncated)


def record_of(name, text="x"):
    return make_record(
        Question(name, "s", "p", "4"),
        [answer(text)],
        [Verdict(status="incorrect", answer=text)],
        [],
        prompt_tokens=9,
        seed=5,
    )


def test_a_line_says_what_was_asked_what_came_and_what_was_found(tmp_path):
    record = make_record(
        QUESTION,
        [answer("4"), answer("5 ünd", 7, True)],
        [
            Verdict(status="correct", answer="4"),
            Verdict(status="incorrect", answer="5", detail="why"),
        ],
        [answer('{"pass_rate": 8}')],
        prompt_tokens=9,
        seed=5,
    )
    RecordFile(tmp_path / "r.jsonl").append(record)
    row = json.loads((tmp_path / "r.jsonl").read_text("utf-8"))
    assert list(row)[:4] == ["id", "prompt", "gold", "right"]
    assert row["right"] == 1
    assert row["samples"][1] == {
        "status": "incorrect",
        "answer": "5",
        "detail": "why",
        "tokens": 7,
        "truncated": True,
        "text": "5 ünd",
    }
    assert "order" not in row
    assert (row["prompt_tokens"], row["seed"]) == (9, 5)


def test_an_answer_on_which_the_judge_failed_is_neither_right_nor_wrong():
    statuses = ("correct", "timeout", "incorrect", "error", "unparsable")
    record = make_record(
        QUESTION,
        [answer("4")] * 5,
        [Verdict(status=status, answer=None) for status in statuses],
        [],
        prompt_tokens=9,
        seed=5,
    )
    assert record.verified() == [True, False, False]
    assert record.right == 1


def test_a_question_that_could_not_be_asked_says_why():
    record = make_left_out(QUESTION, prompt_tokens=5002, room=2048)
    assert record.left_out == "the prompt has 5002 tokens, the model reads 2048 in all"


def test_the_lines_of_0_1_0_are_read_and_written_byte_for_byte(tmp_path):
    records = list(RecordFile(RECORDED).read())
    assert [type(record) for record in records] == [EvalRecord] * 3 + [LeftOutRecord, EvalRecord]
    assert records[1].order == (1, 0)
    assert records[4].samples[0].text == "4 \ud800"
    file = RecordFile(tmp_path / "r.jsonl")
    for record in records:
        file.append(record)
    assert file.path.read_bytes() == RECORDED.read_bytes()


def test_a_file_can_be_read_by_a_person(tmp_path):
    file = RecordFile(tmp_path / "r.jsonl")
    file.append(record_of("ü\n\u2028", "x\ud800"))
    (line,) = (tmp_path / "r.jsonl").read_bytes().splitlines()
    assert "ü".encode() in line
    (record,) = file.read()
    assert (record.id, record.samples[0].text) == ("ü\n\u2028", "x\ud800")


@given(st.integers(0, 200))
def test_whatever_a_kill_leaves_of_the_last_line_the_others_are_whole(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("torn") / "r.jsonl"
    file = RecordFile(path)
    whole = [record_of(str(number), "ü" * 20) for number in range(3)]
    for record in whole[:2]:
        file.append(record)
    size = path.stat().st_size
    file.append(whole[2])
    end = path.stat().st_size
    left = min(size + cut, end)
    with open(path, "rb+") as handle:
        handle.truncate(left)
    before = whole if left == end else whole[:2]
    assert list(file.read()) == before
    file.mend()
    file.append(record_of("new"))
    assert list(file.read()) == [*before, record_of("new")]


def test_a_file_that_is_not_there_has_no_lines(tmp_path):
    file = RecordFile(tmp_path / "none.jsonl")
    file.mend()
    assert list(file.read()) == []


def test_a_damaged_line_in_the_middle_is_not_passed_over(tmp_path):
    path = tmp_path / "r.jsonl"
    path.write_text('{"id": "1"\n{"id": "2"}\n')
    with pytest.raises(json.JSONDecodeError):
        list(RecordFile(path).read())


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"more": 1}, "more: Extra inputs are not permitted"),
        ({"samples": [{"status": "right"}]}, r"samples\.0\.status: Input should be 'correct'"),
        ({"prompt_tokens": None}, "prompt_tokens: Input should be a valid integer"),
    ],
)
def test_a_line_that_is_no_record_is_named_with_the_way_out(tmp_path, change, told):
    path = tmp_path / "r.jsonl"
    shutil.copy(RECORDED, path)
    row = {**json.loads(RECORDED.read_text("utf-8").split("\n")[0]), **change}
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
    with pytest.raises(EvalError, match=rf"r\.jsonl, line 6 is no record .*{told}.*take the line"):
        list(RecordFile(path).read())


def test_a_record_is_not_changed_in_place():
    with pytest.raises(ValidationError, match="frozen"):
        record_of("q").right = 2
