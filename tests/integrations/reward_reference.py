"""The rewards of a recorded batch, worked out anew from its texts; and the examples of the pages.

For the tiny model's answers only, and with nothing of masa-rewards.
"""

import json
import re
from pathlib import Path
from statistics import fmean

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs" / "guides" / "stacks"


def read_page_examples(page, language):
    """The code blocks of a page."""
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)


def adapt_example(example, changes):
    """The example with some of its words changed, each of which must stand in it just once."""
    for old, new in changes.items():
        assert example.count(old) == 1, f"{old!r} in:\n{example}"
        example = example.replace(old, new)
    return example


def write_problems(folder):
    lines = [
        {"problem": f"What is {number} + 1 ?", "answer": str(number % 2 + 1)} for number in range(8)
    ]
    (folder / "problems.jsonl").write_text("\n".join(map(json.dumps, lines)))


def read_batches(folder):
    """The recorded calls: for each, the samples of all processes and the rewards they got."""
    files = sorted(folder.glob("calls-*.jsonl"))
    by_rank = [[json.loads(line) for line in file.read_text().splitlines()] for file in files]
    return [
        [sample for rank, call in enumerate(calls) for sample in _join_call_samples(call, rank)]
        for calls in zip(*by_rank, strict=True)
    ]


def _join_call_samples(call, rank):
    given = call["given"]
    tokens = given.get("completion_ids") or given["response_token_ids"]
    names = ("kind", "problem_id", "answer", "completions")
    rows = zip(*(given[name] for name in names), tokens, call["rewards"], strict=True)
    return [
        {
            "kind": kind,
            "id": problem_id,
            "answer": answer,
            "text": text if isinstance(text, str) else text[0]["content"],
            "length": len(ids),
            "reward": reward,
            "rank": rank,
        }
        for kind, problem_id, answer, text, ids, reward in rows
    ]


def check_batch_rewards(batch):
    """Every reward is what it should be; returns the three rewards of the meta samples."""
    solutions = [sample for sample in batch if sample["kind"] == "solution"]
    for sample in solutions:
        sample["right"] = re.findall(r"\\boxed\{(\d)\}", sample["text"])[-1:] == [sample["answer"]]
        assert sample["reward"] == sample["right"]
    parts = []
    for sample in batch:
        if sample["kind"] == "meta":
            group = [each for each in solutions if each["id"] == sample["id"]]
            parts.append(_compute_components(sample["text"], group))
            assert sample["reward"] == pytest.approx(fmean(parts[-1]))
    return parts


def _compute_components(text, group):
    stated = re.findall(r'\{"pass_rate".*?\}', text)
    if not stated:
        return (0.0, 0.0, 0.0)
    prediction = json.loads(stated[-1])
    right = [each["length"] for each in group if each["right"]]
    length = bool(right) and min(right) <= prediction["solution_length"] <= max(right)
    error = abs(len(right) / len(group) - prediction["pass_rate"] / 8)
    (notion,) = prediction["math_notion"]
    named = [each["right"] for each in group if re.search(rf"\b{notion}\b", each["text"])]
    return (float(length), 0.01**error, float(named.count(True) > named.count(False)))
