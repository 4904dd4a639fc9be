import json

import pyarrow
import pyarrow.parquet
import pytest
from masa_control import Problem
from masa_openrlhf.config.tree import DataConfig
from masa_openrlhf.data.problems import DataError, drop_long_problems, load_problems, write_problems

CONFIG = DataConfig()


def jsonl(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def test_plain_jsonl(tmp_path):
    source = jsonl(
        tmp_path / "a.jsonl",
        {"problem": "1+1?", "answer": "2", "id": "x"},
        {"problem": "2+2?", "answer": 4},
    )
    assert load_problems(source, CONFIG).problems == [
        Problem(id="x", text="1+1?", answer="2"),
        Problem(id="1", text="2+2?", answer="4"),
    ]


def test_the_verl_form_in_parquet(tmp_path):
    rows = [
        {
            "prompt": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "1+1?"},
            ],
            "reward_model": {"ground_truth": "2", "style": "rule"},
        }
    ]
    path = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    assert load_problems(str(path), CONFIG).problems == [Problem(id="0", text="1+1?", answer="2")]


def test_a_gold_answer_inside_an_object(tmp_path):
    source = jsonl(
        tmp_path / "a.jsonl",
        {"prompt": "1+1?", "reward_model": {"ground_truth": {"target": "2", "question": "1+1?"}}},
    )
    assert load_problems(source, CONFIG).problems[0].answer == "2"


def test_keys_of_ones_own(tmp_path):
    source = jsonl(tmp_path / "a.jsonl", {"q": {"text": "1+1?"}, "gold": ["2", "two"]})
    config = DataConfig(problem_key="q.text", answer_key="gold")
    assert load_problems(source, config).problems == [Problem(id="0", text="1+1?", answer="2")]


def test_problems_that_cannot_be_used_are_counted(tmp_path):
    source = jsonl(
        tmp_path / "a.jsonl",
        {"problem": "1+1?", "answer": "2"},
        {"problem": "1+2?", "answer": None},
        {"problem": " ", "answer": "3"},
        {"problem": "2+2?", "answer": ""},
    )
    loaded = load_problems(source, CONFIG)
    assert len(loaded.problems) == 1
    assert loaded.left_out == {"no answer": 2, "no problem": 1}


def test_targets_that_no_answer_can_match_are_told(tmp_path):
    answers = [
        "2",
        "proof",
        r"\frac{1}{",
        "2e3",
        "notfound",
        "the one who pays the most for it all",
    ]
    rows = [{"problem": f"{i}?", "answer": answer} for i, answer in enumerate(answers)]
    loaded = load_problems(jsonl(tmp_path / "a.jsonl", *rows), CONFIG)
    assert [problem.id for problem in loaded.problems] == ["0", "2", "3", "5"]
    assert loaded.left_out == {"placeholder for an answer": 2}
    assert loaded.doubtful == {"unreadable": 1, "sentence": 1}
    assert loaded.first_doubtful == r"\frac{1}{"
    shorter = drop_long_problems(loaded, lambda _: 1, 5)
    assert shorter.doubtful == loaded.doubtful
    with pytest.raises(DataError, match=r"no target can be used.*'proof'.*data\.answer_key"):
        load_problems(jsonl(tmp_path / "b.jsonl", {"problem": "p", "answer": "proof"}), CONFIG)


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        (42.0, "42"),
        (0.1, "0.1"),
        (0.10000000149011612, "0.1"),  # what 32 bits hold of it
        (3.140000104904175, "3.14"),
        (1e-7, "1e-07"),
        (1e22, "1e+22"),
        (0.30000000000000004, "0.30000000000000004"),
        ([1, 2], "1, 2"),
        ([0.5, 2.0], "0.5, 2"),
        (["2", "two"], "2"),
    ],
)
def test_numbers_become_text_as_people_write_them(tmp_path, value, answer):
    source = jsonl(tmp_path / "a.jsonl", {"problem": "?", "answer": value})
    assert load_problems(source, CONFIG).problems[0].answer == answer


def test_long_prompts_are_counted(tmp_path):
    source = jsonl(
        tmp_path / "a.jsonl",
        {"problem": "1+1?", "answer": "2"},
        {"problem": "x" * 9, "answer": "2"},
    )
    loaded = drop_long_problems(load_problems(source, CONFIG), lambda p: len(p.text), 5)
    assert [p.text for p in loaded.problems] == ["1+1?"]
    assert loaded.left_out == {"prompt too long": 1}
    with pytest.raises(DataError, match="raise data.prompt_max_tokens"):
        drop_long_problems(load_problems(source, CONFIG), lambda p: len(p.text), 3)


def test_a_name_that_the_hub_cannot_give(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(DataError, match="the hub's 'nobody/nothing', split 'train'"):
        load_problems("nobody/nothing", CONFIG)


def test_a_limit(tmp_path):
    source = jsonl(tmp_path / "a.jsonl", *({"problem": f"{i}?", "answer": "2"} for i in range(9)))
    assert len(load_problems(source, DataConfig(max_problems=4)).problems) == 4


def test_what_is_wrong_is_said(tmp_path):
    (tmp_path / "empty.jsonl").touch()
    (tmp_path / "text.txt").write_text("hello")
    (tmp_path / "broken.jsonl").write_text('{"problem": "1+1?", "answer": "2"}\n{"problem"\n')
    (tmp_path / "broken.parquet").write_text("no parquet")
    (tmp_path / "list.jsonl").write_text("[1]\n")
    (tmp_path / "object.json").write_text('{"problem": 1}')
    jsonl(tmp_path / "columns.jsonl", {"task": "1+1?", "answer": "2"})
    jsonl(tmp_path / "answers.jsonl", {"problem": "1+1?", "solution": "2"})
    jsonl(tmp_path / "nothing.jsonl", {"problem": "1+1?", "answer": ""})
    for name, message in {
        "missing.jsonl": "there is no file",
        "empty.jsonl": "is empty",
        "text.txt": "none of .parquet, .jsonl, .json",
        "broken.jsonl": "line 2 is not JSON",
        "broken.parquet": "cannot be read as parquet",
        "list.jsonl": "row 1 must be an object",
        "object.json": "must hold a list",
        "columns.jsonl": "it has task, answer.*data.problem_key",
        "answers.jsonl": "it has problem, solution.*data.answer_key",
        "nothing.jsonl": "none of 1 rows can be used.*no answer",
    }.items():
        with pytest.raises(DataError, match=message):
            load_problems(str(tmp_path / name), CONFIG)
    with pytest.raises(DataError, match="no column 'x'.*it has task, answer"):
        load_problems(str(tmp_path / "columns.jsonl"), DataConfig(problem_key="x"))


def test_what_is_written_is_what_openrlhf_is_told_to_read(tmp_path):
    write_problems([Problem(id="7", text="1+1?", answer="2")], tmp_path / "train.jsonl")
    row = json.loads((tmp_path / "train.jsonl").read_text())
    assert row == {"problem": "1+1?", "task": {"id": "7", "answer": "2"}}
