"""Rows in the forms of published data sets. Their columns are theirs, their content is invented."""

import json

import pyarrow
import pyarrow.parquet

WRAPPED = (
    "Solve the following math problem step by step. The last line of your response should be of "
    "the form Answer: $Answer (without quotes) where $Answer is the answer to the problem.\n\n"
    "{problem}\n\n"
    'Remember to put your answer on its own line after "Answer:".'
)

ROWS = {
    "GSM8K": [
        {
            "question": "A hen lays 3 eggs a day. How many in two weeks?",
            "answer": "Two weeks have 2*7=<<2*7=14>>14 days.\nSo 14*3=<<14*3=42>>42.\n#### 42",
        },
        {
            "question": "A farm sells 1,200 eggs at $2. What does it earn?",
            "answer": "It earns 1200*2=$<<1200*2=2400>>2400.\n#### 2,400",
        },
    ],
    "MATH": [
        {
            "problem": "What is $6 \\cdot 7$?",
            "level": "Level 1",
            "type": "Prealgebra",
            "solution": "We multiply: $6 \\cdot 7 = \\boxed{42}$.",
        },
        {
            "problem": "Halve $\\frac{3}{2}$.",
            "level": "Level 2",
            "type": "Algebra",
            "solution": "Not $\\boxed{1}$ but $\\boxed{\\frac{3}{4}}$, since we halve.",
        },
    ],
    "MATH-500": [
        {
            "problem": "What is $6 \\cdot 7$?",
            "solution": "It is $\\boxed{42}$.",
            "answer": "42",
            "subject": "Prealgebra",
            "level": 1,
            "unique_id": "test/prealgebra/1.json",
        },
        {
            "problem": "Halve $\\frac{3}{2}$.",
            "solution": "It is $\\boxed{\\frac{3}{4}}$.",
            "answer": "\\frac{3}{4}",
            "subject": "Algebra",
            "level": 2,
            "unique_id": "test/algebra/2.json",
        },
    ],
    "NuminaMath": [
        {
            "source": "synthetic_math",
            "problem": "What is 6 times 7?",
            "solution": "It is $\\boxed{42}$.",
            "messages": [
                {"content": "What is 6 times 7?", "role": "user"},
                {"content": "It is $\\boxed{42}$.", "role": "assistant"},
            ],
        },
        {
            "source": "cn_k12",
            "problem": "Halve 3/2.",
            "solution": "\\boxed{\\frac{3}{4}}",
            "messages": [
                {"content": "Halve 3/2.", "role": "user"},
                {"content": "\\boxed{\\frac{3}{4}}", "role": "assistant"},
            ],
        },
    ],
    "NuminaMath-1.5": [
        {
            "problem": "What is 6 times 7?",
            "solution": "It is 42.",
            "answer": "42",
            "problem_type": "Algebra",
            "question_type": "math-word-problem",
            "source": "olympiads",
            "problem_is_valid": "Yes",
            "solution_is_valid": "Yes",
            "synthetic": False,
        },
        {
            "problem": "Halve 3/2.",
            "solution": "It is three quarters.",
            "answer": "\\frac{3}{4}",
            "problem_type": "Algebra",
            "question_type": "math-word-problem",
            "source": "olympiads",
            "problem_is_valid": "Yes",
            "solution_is_valid": "Yes",
            "synthetic": False,
        },
    ],
    "DAPO-17k and verl's own files": [
        {
            "data_source": "math_dapo",
            "prompt": [{"content": WRAPPED.format(problem="What is 6 times 7?"), "role": "user"}],
            "ability": "MATH",
            "reward_model": {"ground_truth": "42", "style": "rule-lighteval/MATH_v2"},
            "extra_info": {"index": "9a9b6eb4-a1cb-49d1-8c1e-62eaf2f74079"},
        },
        {
            "data_source": "math_dapo",
            "prompt": [{"content": WRAPPED.format(problem="Halve 68."), "role": "user"}],
            "ability": "MATH",
            "reward_model": {"ground_truth": "34", "style": "rule-lighteval/MATH_v2"},
            "extra_info": {"index": "b426d104-244d-4831-a2c4-cd756b61700a"},
        },
    ],
    "DeepScaleR": [
        {"problem": "What is 6 times 7?", "answer": "42", "solution": "Six sevens."},
        {"problem": "Halve 3/2.", "answer": "\\frac{3}{4}", "solution": ""},
    ],
    "Big-Math": [
        {
            "problem": "What is 6 times 7?",
            "answer": "42",
            "source": "gsm8k",
            "domain": ["Mathematics -> Algebra"],
            "llama8b_solve_rate": 0.95,
        },
        {
            "problem": "Halve 3/2.",
            "answer": "\\frac{3}{4}",
            "source": "orca_math",
            "domain": ["Mathematics -> Algebra"],
            "llama8b_solve_rate": None,
        },
    ],
    "Open-R1": [
        {
            "problem": "What is 6 times 7?",
            "solution": "Six sevens.",
            "answer": "42",
            "source": "olympiads",
            "uuid": "586fd646-76d6-5070-8c81-9993ab9d8559",
            "generations": ["<think>6 7s</think> \\boxed{42}", "\\boxed{43}"],
            "correctness_math_verify": [True, False],
        },
        {
            "problem": "Halve 3/2.",
            "solution": "Three quarters.",
            "answer": "\\frac{3}{4}",
            "source": "olympiads",
            "uuid": "20e5189b-b5e7-5f87-a20f-55b0b0b0b0b0",
            "generations": ["\\boxed{0.75}"],
            "correctness_math_verify": [True],
        },
    ],
    "ORZ": [
        [
            {"from": "human", "value": "What is 6 times 7?"},
            {"from": "assistant", "ground_truth": {"value": "42"}},
        ],
        [
            {"from": "human", "value": "Halve 3/2."},
            {"from": "assistant", "ground_truth": {"value": "\\frac{3}{4}"}},
        ],
    ],
    "verl, `target`": [
        {"prompt": "6 times 7?", "reward_model": {"ground_truth": {"target": "42"}}},
        {"prompt": "Halve 68.", "reward_model": {"ground_truth": {"target": "34"}}},
    ],
    "verl, `answer`": [
        {"prompt": "6 times 7?", "reward_model": {"ground_truth": {"answer": "42"}}},
        {"prompt": "Halve 68.", "reward_model": {"ground_truth": {"answer": "34"}}},
    ],
    "problem and answer": [
        {"problem": "What is 6 times 7?", "answer": "42"},
        {"problem": "Halve 68.", "answer": 34},
    ],
}
"""Two rows of each form, of which the first problem has the answer 42."""

SECOND_GOLDS = {
    "GSM8K": "2,400",
    **dict.fromkeys(
        (
            "DAPO-17k and verl's own files",
            "verl, `target`",
            "verl, `answer`",
            "problem and answer",
        ),
        "34",
    ),
}
"""The second gold of a form; of the others it is three quarters."""


def write_lines(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


def write_table(path, rows):
    """Write rows as parquet; a row that is a pair of messages has the columns "0" and "1"."""
    rows = [dict(enumerate(row)) if isinstance(row, list) else row for row in rows]
    rows = [{str(key): value for key, value in row.items()} for row in rows]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return str(path)
