import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from masa_openrlhf.eval.question import Question
from masa_openrlhf.eval.results.records import RecordFile, left_out, record_of
from masa_rewards import Verdict

QUESTION = Question("q1", "2 + 2?", "Say: 2 + 2?", "4")


def answer(text, tokens=3, truncated=False):
    return {"text": text, "tokens": tokens, "truncated": truncated}


def test_a_line_says_what_was_asked_what_came_and_what_was_found():
    record = record_of(
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
    assert list(record)[:4] == ["id", "prompt", "gold", "right"]
    assert record["right"] == 1
    assert record["samples"][1] == {
        "status": "incorrect",
        "answer": "5",
        "detail": "why",
        "tokens": 7,
        "truncated": True,
        "text": "5 ünd",
    }
    assert "order" not in record
    assert (record["prompt_tokens"], record["seed"]) == (9, 5)


def test_a_question_that_could_not_be_asked_says_why():
    record = left_out(QUESTION, prompt_tokens=5002, room=2048)
    assert record["left_out"] == "the prompt has 5002 tokens, the model reads 2048 in all"


def test_a_file_can_be_read_by_a_person(tmp_path):
    file = RecordFile(tmp_path / "r.jsonl")
    file.append({"id": "ü\n\u2028", "text": "x\ud800"})
    (line,) = (tmp_path / "r.jsonl").read_bytes().splitlines()
    assert "ü".encode() in line
    assert [record["id"] for record in file.read()] == ["ü\n\u2028"]


@given(st.integers(0, 200))
def test_whatever_a_kill_leaves_of_the_last_line_the_others_are_whole(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("torn") / "r.jsonl"
    file = RecordFile(path)
    whole = [{"id": str(number), "text": "ü" * 20} for number in range(3)]
    for record in whole[:2]:
        file.append(record)
    size = path.stat().st_size
    file.append(whole[2])
    left = min(size + cut, path.stat().st_size)
    with open(path, "rb+") as handle:
        handle.truncate(left)
    complete = left == size + len(json.dumps(whole[2], ensure_ascii=False).encode()) + 1
    before = whole if complete else whole[:2]
    assert list(file.read()) == before
    file.mend()
    file.append({"id": "new"})
    assert list(file.read()) == [*before, {"id": "new"}]


def test_a_file_that_is_not_there_has_no_lines(tmp_path):
    file = RecordFile(tmp_path / "none.jsonl")
    file.mend()
    assert list(file.read()) == []


def test_a_damaged_line_in_the_middle_is_not_passed_over(tmp_path):
    path = tmp_path / "r.jsonl"
    path.write_text('{"id": "1"\n{"id": "2"}\n')
    with pytest.raises(json.JSONDecodeError):
        list(RecordFile(path).read())
