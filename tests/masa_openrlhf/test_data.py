import json

import pytest
from masa_control import Problem
from masa_openrlhf.config.tree import DataConfig
from masa_openrlhf.data.errors import DataError
from masa_openrlhf.data.named import hand_on_problems, load_named_problems, take_problems
from masa_openrlhf.data.problems import (
    LoadedProblems,
    drop_long_problems,
    load_problems,
    write_problems,
)
from masa_openrlhf.data.summary import describe_problems, summarise_problems

from tests.masa_openrlhf.data_rows import write_lines as jsonl
from tests.masa_openrlhf.data_rows import write_table

CONFIG = DataConfig()


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
    source = write_table(tmp_path / "a.parquet", rows)
    assert load_problems(source, CONFIG).problems == [Problem(id="0", text="1+1?", answer="2")]


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
    loaded = load_problems(jsonl(tmp_path / "a.jsonl", *rows), DataConfig(max_unmatchable=1))
    assert [problem.id for problem in loaded.problems] == ["0", "2", "3", "5"]
    assert loaded.left_out == {"placeholder for an answer": 2}
    assert loaded.doubtful == {"unreadable": 1, "sentence": 1}
    assert loaded.first_doubtful == r"\frac{1}{"
    shorter = drop_long_problems(loaded, lambda _: 1, 5)
    assert shorter.doubtful == loaded.doubtful
    with pytest.raises(DataError, match=r"1 of 1 gold answers.*'proof'.*data\.answer_key"):
        load_problems(jsonl(tmp_path / "b.jsonl", {"problem": "p", "answer": "proof"}), CONFIG)


@pytest.mark.parametrize(
    ("value", "answer"),
    [
        (42.0, "42"),
        (0.1, "0.1"),
        (0.10000000149011612, "0.1"),  # what 32 bits hold of it
        (3.140000104904175, "3.14"),
        (1e-7, "0.0000001"),
        (1e22, "10000000000000000000000"),
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
        "text.txt": "none of .parquet, .jsonl, .json, .csv",
        "broken.jsonl": "line 2 is not JSON",
        "broken.parquet": "cannot be read as parquet",
        "list.jsonl": "row 1 must be an object",
        "object.json": "must hold a list",
        "columns.jsonl": "it has task, answer.*data.problem_key",
        "answers.jsonl": "no boxed answer in the solution.*holds .2.: name .*data.answer_key",
        "nothing.jsonl": "none of 1 rows can be used.*no answer",
    }.items():
        with pytest.raises(DataError, match=message):
            load_problems(str(tmp_path / name), CONFIG)
    with pytest.raises(DataError, match="no column 'x'.*it has task, answer"):
        load_problems(str(tmp_path / "columns.jsonl"), DataConfig(problem_key="x"))


def test_what_is_written_is_what_openrlhf_is_told_to_read(tmp_path):
    loaded = LoadedProblems([Problem(id="7", text="1+1?", answer="2")])
    write_problems(loaded, tmp_path / "train.jsonl")
    row = json.loads((tmp_path / "train.jsonl").read_text())
    assert row == {"problem": "1+1?", "task": {"id": "7", "answer": "2"}}


def test_a_column_that_the_first_row_lacks(tmp_path):
    rows = [
        {"prompt": "1+1?", "reward_model": None},
        {"prompt": "1+2?", "reward_model": {"ground_truth": "3"}},
    ]
    for source in (jsonl(tmp_path / "a.jsonl", *rows), write_table(tmp_path / "a.parquet", rows)):
        loaded = load_problems(source, CONFIG)
        assert [problem.answer for problem in loaded.problems] == ["3"]
        assert loaded.left_out == {"no answer": 1}


def test_a_repeated_problem_is_taken_once(tmp_path):
    rows = [
        {"problem": "1+1?", "answer": "2"},
        {"problem": "1+1?", "answer": "2"},
        {"problem": "1+1?", "answer": "3"},
        {"problem": "1+2?", "answer": "3"},
    ]
    loaded = load_problems(jsonl(tmp_path / "a.jsonl", *rows), CONFIG)
    assert [problem.text for problem in loaded.problems] == ["1+1?", "1+2?"]
    assert loaded.left_out == {"repeated": 1, "repeated with another answer": 1}


def test_an_id_of_two_problems_is_refused(tmp_path):
    rows = [
        {"problem": "1+1?", "answer": "2", "id": "a"},
        {"problem": "1+2?", "answer": "3", "id": "b"},
        {"problem": "1+3?", "answer": "4", "id": "a"},
    ]
    source = jsonl(tmp_path / "a.jsonl", *rows)
    message = "a.jsonl, row 3: the id 'a' \\(column 'id'\\) is that of row 1 too.*data.id_key"
    with pytest.raises(DataError, match=message):
        load_problems(source, CONFIG)
    numbered = load_problems(source, DataConfig(id_key="")).problems
    assert [problem.id for problem in numbered] == ["0", "1", "2"]
    with pytest.raises(
        DataError, match="no column 'uuid' \\(data.id_key\\); it has problem, answer"
    ):
        load_problems(source, DataConfig(id_key="uuid"))


def test_a_problem_without_an_id_gets_none_that_is_given(tmp_path):
    rows = [{"problem": "1+1?", "answer": "2", "id": 1}, {"problem": "1+2?", "answer": "3"}]
    loaded = load_problems(jsonl(tmp_path / "a.jsonl", *rows), CONFIG)
    assert [problem.id for problem in loaded.problems] == ["1", "row-1"]


def test_half_a_surrogate_pair_is_counted(tmp_path):
    rows = [{"problem": "\ud800?", "answer": "2"}, {"problem": "1+2?", "answer": "3"}]
    loaded = load_problems(jsonl(tmp_path / "a.jsonl", *rows), CONFIG)
    assert loaded.left_out == {"a problem that is no Unicode": 1}


def test_golds_that_nothing_matches_are_counted_and_above_a_share_refused(tmp_path):
    rows = [
        {"problem": "1?", "answer": "1"},
        {"problem": "2?", "answer": "2"},
        {"problem": "3?", "answer": "proof"},
        {"problem": "4?", "answer": "\\frac{1}{"},
    ]
    source = jsonl(tmp_path / "a.jsonl", *rows)
    loaded = load_problems(source, DataConfig(max_unmatchable=0.5))
    assert [problem.id for problem in loaded.problems] == ["0", "1", "3"]
    assert loaded.left_out == {"placeholder for an answer": 1}
    assert (loaded.doubtful, loaded.first_doubtful) == ({"unreadable": 1}, "\\frac{1}{")
    message = "2 of 4 gold answers .*1 placeholder, 1 unreadable.*data.max_unmatchable .*now 0.4"
    with pytest.raises(DataError, match=message):
        load_problems(source, DataConfig(max_unmatchable=0.4))


def test_what_is_told_of_problems():
    loaded = LoadedProblems(
        [Problem(id=str(i), text="?", answer="x") for i in range(1200)],
        {"no answer": 3, "repeated": 1000},
        {"unreadable": 2, "sentence": 1},
        "\\frac{1}{",
        4000,
        "GSM8K: question, answer",
        1200,
        "",
        {"0": "{}"},
    )
    assert describe_problems(summarise_problems(loaded), "train on") == [
        "1,200 problems to train on; read as GSM8K: question, answer; 1,200 without the "
        "instruction around them; 1 judged by their task's own scorer; left out: 3 no "
        "answer, 1,000 repeated",
        "of these, 3 have a gold answer that only the same text matches (2 unreadable, 1 "
        "sentence): the first is '\\\\frac{1}{'; of 4,000 more it was not looked into",
    ]


def test_what_was_read_is_handed_on_whole(tmp_path):
    config = DataConfig(
        train=jsonl(tmp_path / "a.jsonl", {"problem": "1+1?", "answer": "2"}, {"problem": " "}),
        eval=jsonl(tmp_path / "b.jsonl", {"problem": "1+2?", "answer": "3"}),
    )
    named = load_named_problems(config)
    assert set(named) == {"train", "eval"}
    hand_on_problems(named, tmp_path / "named.json")
    (tmp_path / "a.jsonl").unlink()
    assert take_problems(tmp_path / "named.json", config) == named
    with pytest.raises(DataError, match="there is no file"):
        take_problems(tmp_path / "other.json", config)


def test_of_many_golds_some_are_read_and_stand_for_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr("masa_openrlhf.data.targets.MOST_READ", 5)
    golds = [f"x+{i}" for i in range(20)] + [str(i) for i in range(20)]
    rows = [{"problem": f"{i}?", "answer": gold} for i, gold in enumerate(golds)]
    loaded = load_problems(jsonl(tmp_path / "a.jsonl", *rows), DataConfig(max_unmatchable=0))
    assert (loaded.doubtful, loaded.unread) == ({}, 15)
    damaged = [{**row, "answer": f"\\frac{{{i}}}{{"} for i, row in enumerate(rows[:20])]
    source = jsonl(tmp_path / "b.jsonl", *damaged, *rows[20:])
    with pytest.raises(DataError, match="5 of 40 gold answers.*15 more"):
        load_problems(source, DataConfig(max_unmatchable=0.49))
    assert load_problems(source, DataConfig(max_unmatchable=0.5)).doubtful == {"unreadable": 5}


def test_an_instruction_that_is_not_known_is_told_and_taken_off_by_its_name(tmp_path):
    asked = "Write all you think, and close with the number in two stars."
    rows = [{"problem": f"{i}+1?\n\n{asked}", "answer": str(i + 1)} for i in range(20)]
    source = jsonl(tmp_path / "a.jsonl", *rows)
    told = load_problems(source, CONFIG)
    assert (told.unwrapped, told.shared) == (0, f"+1?\n\n{asked}")
    (_, line) = describe_problems(summarise_problems(told), "train on")
    assert line.startswith("all of them begin or end with '+1?")
    assert "data.instruction" in line
    taken_off = load_problems(source, DataConfig(instruction=f"{{problem}} {asked}"))
    assert (taken_off.unwrapped, taken_off.shared) == (20, "")
    assert taken_off.problems[3].text == "3+1?"
    with pytest.raises(DataError, match="data.instruction must hold {problem} once, got 'x'"):
        load_problems(source, DataConfig(instruction="x"))
