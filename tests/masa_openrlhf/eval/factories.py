"""Files in the exact form of each benchmark's own, made here; and the folder of the real ones."""

import base64
import json
import pickle
import zlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

REAL_DATA = Path(__file__).parents[4] / "shared" / "data"


def make_verl_row(problem, answer, index=0):
    return {
        "data_source": "x/y",
        "prompt": [{"content": problem, "role": "user"}],
        "ability": "math",
        "reward_model": {
            "ground_truth": {"question": problem, "target": answer},
            "style": "rule",
        },
        "extra_info": {"index": index, "split": "test"},
    }


def make_logic_row(name, number, options, answer):
    return {
        "id": f"{name}_{number}",
        "context": f"Everything of {number} is known.",
        "question": "Which of the following is true?",
        "options": [f"{letter}) {text}" for letter, text in zip("ABCDEFG", options, strict=False)],
        "answer": answer,
    }


def pack_cases(cases):
    """As LiveCodeBench packs its private tests."""
    pickled = pickle.dumps(json.dumps(cases))
    return base64.b64encode(zlib.compress(pickled)).decode()


def make_case(given, wanted, kind="stdin"):
    return {"input": given, "output": wanted, "testtype": kind}


LIVECODEBENCH_ROW = {
    "question_title": "t",
    "platform": "atcoder",
    "contest_id": "c",
    "contest_date": "2023-08-21T00:00:00",
    "difficulty": "easy",
}

PLUS_TEST = """\
import numpy as np

def is_floats(x) -> bool:
    if isinstance(x, float):
        return True
    if isinstance(x, (list, tuple)) and x:
        return all(isinstance(i, float) for i in x)
    return False

def assertion(out, exp, atol):
    if atol == 0 and is_floats(exp):
        atol = 1e-6
    if out != exp and atol != 0:
        assert np.allclose(out, exp, rtol=1e-07, atol=atol)
    else:
        assert out == exp, f"out: {out}, exp: {exp}"
"""

ROWS = {
    "aime24": [
        {
            "id": 60,
            "problem": "Find $x$ with $x - 200 = 4$.",
            "solution": "",
            "answer": "204",
            "url": "u",
            "year": "2024",
        }
    ],
    "aime25": [make_verl_row("Find $2 + 68$.", "70")],
    "amc23": [{"id": 0, "question": "Find $54/2$.", "answer": "27.0", "url": "u"}],
    "math500": [
        {
            "problem": "Convert $(0,3)$ to polar coordinates.",
            "solution": "",
            "answer": "\\left( 3, \\frac{\\pi}{2} \\right)",
            "subject": "Precalculus",
            "level": 2,
            "unique_id": "test/precalculus/807.json",
        }
    ],
    "minerva": [{"question": "What is the energy in erg?", "answer": "2.75e11"}],
    "olympiad": [
        {
            "id": 1606,
            "question": "Find all of them.",
            "solution": ["s"],
            "final_answer": ["$-1$", "$7$"],
            "is_multiple_answer": True,
            "answer_type": "Numerical",
        }
    ],
    "prontoqa": [make_logic_row("ProntoQA", 1, ("True", "False"), "B")],
    "proofwriter": [make_logic_row("ProofWriter", 1, ("True", "False", "Unknown"), "C")],
    "folio": [make_logic_row("FOLIO_dev", 1, ("True", "False", "Uncertain"), "A")],
    "logicaldeduction": [make_logic_row("logical_deduction", 1, ("v", "w", "x", "y", "z"), "D")],
    "arlsat": [make_logic_row("ar_lsat", 1, ("Fred", "Juan", "Marc", "Paul", "Nita"), "E")],
    "gpqa": [
        {
            "Record ID": "rec06",
            "Question": "Which energy difference?",
            "Correct Answer": "10^-4 eV\n",
            "Incorrect Answer 1": "10^-11 eV",
            "Incorrect Answer 2": "10^-8 eV\n",
            "Incorrect Answer 3": "10^-9 eV",
            "Subdomain": "Physics",
        }
    ],
    "rbench": [
        {
            "index": "r1",
            "question": "Which one?",
            **{letter: f"choice {letter}" for letter in "ABCDEF"},
            "answer": "F",
        }
    ],
    "arc": [
        {
            "id": "Mercury_1",
            "question": "Which effect?",
            "choices": {"text": ["density", "years", "days", "gravity"], "label": list("1234")},
            "answerKey": "3",
        }
    ],
    "scibench": [
        {
            "problem_text": "What is the minimum energy required?",
            "answer_latex": " 2.57",
            "answer_number": "2.57",
            "unit": "$10^{11} \\mathrm{~J}$ ",
            "source": "class",
            "problemid": " Problem 8.42",
            "comment": " ",
            "solution": "",
        }
    ],
    "evalplus": [
        {
            "task_id": "HumanEval/32",
            "prompt": "import math\n\n\ndef poly(xs: list, x: float):\n    return sum(xs)\n\n\n"
            'def find_zero(xs: list):\n    """ xs are coefficients. """\n',
            "canonical_solution": "    return poly(xs, 0.0) / 3\n",
            "entry_point": "find_zero",
            "test": PLUS_TEST + "\ndef check(candidate):\n    inputs = [[[1, 2]], [[0.3, 0.6]]]\n"
            "    results = [1.0, 0.3]\n"
            "    for i, (inp, exp) in enumerate(zip(inputs, results)):\n"
            "        assertion(candidate(*inp), exp, 0)\n",
        },
        {
            "task_id": 2,
            "code": "def similar(a, b):\n    return tuple(set(a) & set(b))\n",
            "prompt": "Write a function to find the shared elements.",
            "source_file": "x",
            "test_imports": "[]",
            "test_list": ["assert set(similar((3, 4), (4, 5))) == set((4,))"],
            "test": PLUS_TEST + "\ninputs = [[(3, 4), (4, 5)], [(1,), (2,)]]\n"
            "results = [(4,), ()]\n"
            "for i, (inp, exp) in enumerate(zip(inputs, results)):\n"
            "    assertion(set(similar(*inp)), set(exp), 0)\n",
        },
    ],
    "cruxo": [
        {
            "code": "def f(nums):\n    return [(n, 1) for n in nums]",
            "input": "[1, 2]",
            "output": "[(1, 1), (2, 1)]",
            "id": "sample_0",
        }
    ],
    "mbpp": [
        {
            "task_id": 11,
            "text": "Write a function to add.",
            "code": "import math\r\nclass Pair:\r\n    def __init__(self, a, b):\r\n"
            "        self.a, self.b = a, b\r\ndef add(p): return p.a + p.b",
            "test_list": [
                "assert add(Pair(1, 2)) == 3",
                "assert math.isclose(add(Pair(0.1, 0.2)), 0.3)",
            ],
            "test_setup_code": "",
            "challenge_test_list": [],
        }
    ],
    "livecodebench": [
        {
            **LIVECODEBENCH_ROW,
            "question_id": "abc1",
            "question_content": "Add the numbers of each line.",
            "starter_code": "",
            "public_test_cases": json.dumps([make_case("2\n1 2\n3 4\n", "3\n7\n")]),
            "private_test_cases": pack_cases([make_case("1\n0.5 0.5\n", "1.0\n")]),
            "metadata": "{}",
        },
        {
            **LIVECODEBENCH_ROW,
            "question_id": "1873",
            "question_content": "Return both numbers doubled.",
            "starter_code": "class Solution:\n    def twice(self, a: int, b: List[int]):\n",
            "public_test_cases": json.dumps([make_case("1\n[2, 3]", "[2, 4, 6]", "functional")]),
            "private_test_cases": json.dumps([make_case("0\n[]", "[0]", "functional")]),
            "metadata": '{"func_name": "twice"}',
        },
    ],
}

# What a model that is right writes; {letter} is the letter of the right choice.
RIGHT_ANSWERS = {
    "aime24": ["so it is $\\boxed{204}$"],
    "aime25": ["\\boxed{070}"],
    "amc23": ["\\boxed{27}"],
    "math500": ["\\boxed{(3, \\pi/2)}"],
    "minerva": ["$\\boxed{2.75 \\times 10^{11}}$ erg"],
    "olympiad": ["\\boxed{7, -1}"],
    "scibench": ["$\\boxed{2.6}$"],
    "evalplus": [
        "```python\ndef find_zero(xs):\n    return poly(xs, math.floor(0.5)) / 3\n```",
        "```\ndef similar(a, b):\n    return [x for x in a if x in b]\n```",
    ],
    "cruxo": ["[ANSWER]assert f([1, 2]) == [(1, 1), (2, 1)][/ANSWER]"],
    "mbpp": [
        "```python\nclass Pair:\n    def __init__(self, a, b):\n        self.s = a + b\n"
        "def add(p):\n    return p.s\n```"
    ],
    "livecodebench": [
        "```python\nfor _ in range(int(input())):\n    a, b = map(float, input().split())\n"
        "    print(a + b if a % 1 else int(a + b))\n```",
        "```python\nclass Solution:\n    def twice(self, a, b):\n"
        "        return (2 * a, *(2 * x for x in b))\n```",
    ],
}


def write_benchmark(folder, name, rows=None, suffix=".jsonl"):
    """Write the file of a benchmark as a local file may lie there."""
    rows = ROWS[name] if rows is None else rows
    path = folder / f"{name}{suffix}"
    if suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif suffix == ".json":
        path.write_text(json.dumps(rows))
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path
