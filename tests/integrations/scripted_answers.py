"""What a scripted policy answers, and what that is worth, by hand."""


def make_solution(said, answer, length):
    r"""A solution of so many characters, which ends in \boxed{answer}."""
    boxed = rf"\boxed{{{answer}}}"
    return said.ljust(length - len(boxed), ".") + boxed


PROBLEMS = [
    {"problem": "What is 2 + 3?", "answer": "5"},
    {"problem": "What is 2 + 4?", "answer": "6"},
]

# Of each problem: two solutions and two predictions, each with its length in tokens. Where tokens
# are characters, the last one is the end.
SCRIPT = {
    "2 + 3": (
        [(make_solution("By addition", 5, 199), 200), (make_solution("I guess", 6, 49), 50)],
        [
            ('{"pass_rate": 4, "solution_length": 200, "math_notion": ["additions"]}', 71),
            ("I cannot say.", 14),
        ],
    ),
    "2 + 4": (
        [(make_solution("The addition", 6, 149), 150), (make_solution("An addition", 6, 249), 250)],
        [
            ('{"pass_rate": 8, "solution_length": 300, "math_notion": ["addition", "sums"]}', 78),
            ('{"pass_rate": 7, "solution_length": 200, "math_notion": []}', 60),
        ],
    ),
}

# 2 + 3: p = 1/2, one right length, 200, and "addition" in the right one only. 2 + 4: p = 1, lengths
# from 150 to 250, "addition" in both and "sum" in none; 0.01 ** (1/8) = 0.5623413.
REWARDS = {
    ("2 + 3", "solution"): [0.0, 1.0],
    ("2 + 3", "meta"): [0.0, 1.0],
    ("2 + 4", "solution"): [1.0, 1.0],
    ("2 + 4", "meta"): [(1 + 0 + 0.5) / 3, (0.5623413 + 1 + 0) / 3],
}


def choose_answer(asked, before):
    """The answer to a prompt that was asked so often before, and its length in tokens."""
    solutions, predictions = next(SCRIPT[name] for name in SCRIPT if name in asked)
    kind = predictions if "Predict" in asked else solutions
    return kind[before % len(kind)]
