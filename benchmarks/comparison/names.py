"""Which half-known names a policy has decided, and whether rightly.

A name that it says wrongly every time is in no correct solution any more: no group that holds it
has variance, and nothing puts it right.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from comparison.demonstrations import SOLUTION_TEMPLATE
from comparison.task import RANGES, Name, Problem, make_problems, range_of

LIMITS = (0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0)
"""Of the shares that are counted together."""


def begun(problem: Problem) -> list[tuple[Name, str]]:
    """Return, for each half-known name of a problem, a right solution up to where it is said."""
    total, text, found = 0, "So", []
    for name in problem.names:
        if name.sort == "half":
            found.append((name, f"{text} {name.text} recall"))
        total += name.value
        text += f" {name.text} recall {name.value} {range_of(name.value)} fits sum {total:02d};"
    return found


def right_shares(model: Path, problems: int = 300, seed: int = 0) -> dict[str, float]:
    """Return how much of its probability a policy gives the right value of each half-known name.

    Of all that it gives to values of the name's range, the mean over what comes before it.

    Args:
        model: a Hugging Face folder.
        problems: learnable ones in which the names are asked for.
        seed: of the problems.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model)
    policy = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32).eval()

    def ids(text: str) -> list[int]:
        return list(tokenizer(text, add_special_tokens=False)["input_ids"])

    digits = {value: ids(f" {value}")[-1] for values in RANGES.values() for value in values}
    shares = defaultdict(list)
    for problem in make_problems(problems, seed, kinds=["learnable"]):
        for name, text in begun(problem):
            asked = SOLUTION_TEMPLATE.format(problem=problem.problem) + text
            with torch.no_grad():
                logits = policy(torch.tensor([ids(asked)])).logits[0, -1]
            fitting = RANGES[range_of(name.value)]
            said = logits[[digits[value] for value in fitting]].softmax(-1)
            shares[name.text].append(float(said[fitting.index(name.value)]))
    return {name: statistics.fmean(found) for name, found in shares.items()}


def counted(shares: Mapping[str, float]) -> list[int]:
    """Return how many names lie between each two of `LIMITS`."""
    inner = LIMITS[1:-1]
    counts = [0] * (len(LIMITS) - 1)
    for share in shares.values():
        counts[sum(share >= limit for limit in inner)] += 1
    return counts


def print_names(models: Sequence[Path]) -> None:
    """Print a table: a row a policy, called after the run that its folder lies in."""
    between = [f"{low:.2f} to {high:.2f}" for low, high in pairwise(LIMITS)]
    print(f"| run | mean | {' | '.join(between)} |")
    print("|---" * (len(between) + 2) + "|")
    for model in models:
        shares = right_shares(model)
        cells = [f"{statistics.fmean(shares.values()):.2f}", *map(str, counted(shares))]
        print(f"| {model.resolve().parent.name} | {' | '.join(cells)} |")
