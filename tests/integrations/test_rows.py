import pytest
from masa_rewards import MetaPrompt
from masa_rewards.integrations.rows import paired_rows

PROBLEMS = [
    {"problem": "2 + 2", "answer": "4"},
    {"problem": "|{x}|", "answer": 3, "problem_id": "sets/1", "level": 5},
]


def test_both_prompts_side_by_side():
    rows = paired_rows(PROBLEMS, MetaPrompt(wording="How hard is {problem}?"))
    assert [(row["prompt"][0]["content"].split("\n")[0], row["kind"]) for row in rows] == [
        ("2 + 2", "solution"),
        ("How hard is 2 + 2?", "meta"),
        ("|{x}|", "solution"),
        ("How hard is |{x}|?", "meta"),
    ]
    assert [row["problem_id"] for row in rows] == ["0", "0", "sets/1", "sets/1"]
    assert [row["answer"] for row in rows] == ["4", "4", "3", "3"]
    assert [row["problem"] for row in rows] == ["2 + 2", "2 + 2", "|{x}|", "|{x}|"]


def test_text_and_more_solutions():
    rows = paired_rows(
        PROBLEMS, MetaPrompt(), solution_rows=2, chat=False, solution_template="Solve {problem}."
    )
    assert [row["kind"] for row in rows] == ["solution", "solution", "meta"] * 2
    assert rows[0]["prompt"] == rows[1]["prompt"] == "Solve 2 + 2."


def test_targets_that_no_answer_can_match_are_told_once(caplog):
    answers = ["4", "proof", r"\frac{1}{", r"\frac{1}{"]
    problems = [
        {"problem": f"{number}?", "answer": answer} for number, answer in enumerate(answers)
    ]
    assert len(paired_rows(problems, MetaPrompt(), solution_rows=2)) == 12
    assert [record.message for record in caplog.records if record.name == "masa_rewards"] == [
        "3 of 4 targets cannot be compared with answers by value (1 placeholder, 2 unreadable), so "
        "only the same text is right for them; the first is 'proof'. AnswerVerifier.check_target "
        "tells of each"
    ]


def test_nothing_is_told_of_targets_that_can_be_compared(caplog):
    paired_rows(PROBLEMS, MetaPrompt())
    assert caplog.records == []


def test_shuffled_by_problem():
    many = [{"problem": f"{number} + 1", "answer": f"{number + 1}"} for number in range(50)]
    rows = paired_rows(many, MetaPrompt(), seed=1)
    assert rows == paired_rows(many, MetaPrompt(), seed=1)
    ids = [row["problem_id"] for row in rows]
    assert ids[::2] == ids[1::2]
    assert ids[::2] != sorted(ids[::2], key=int)
    assert sorted(ids[::2], key=int) == [str(number) for number in range(50)]
    assert ids != [row["problem_id"] for row in paired_rows(many, MetaPrompt(), seed=2)]


def test_a_zero_is_an_answer():
    assert paired_rows([{"problem": "1 - 1", "answer": 0}], MetaPrompt())[0]["answer"] == "0"


@pytest.mark.parametrize(
    ("problems", "settings", "message"),
    [
        ([{"problem": " ", "answer": "4"}], {}, r"problem '0' needs .* not blank: got \{'problem'"),
        ([{"problem": "2 + 2"}], {}, r"problem '0' needs a 'problem' and an 'answer'"),
        ([{"problem": "2 + 2", "answer": None}], {}, r"problem '0' needs"),
        ([{**PROBLEMS[0], "problem_id": 7}] * 2, {}, r"two problems have the id '7'"),
        (PROBLEMS, {"solution_rows": 0}, r"at least 1: got 0"),
        (PROBLEMS, {"solution_template": "Solve."}, r"'\{problem\}': got 'Solve\.'"),
    ],
)
def test_what_is_refused(problems, settings, message):
    with pytest.raises(ValueError, match=message):
        paired_rows(problems, MetaPrompt(), **settings)
