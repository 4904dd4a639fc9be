"""Which half-known names a policy has decided, whether rightly, and how far it tells them apart.

A name that it says wrongly every time is in no correct solution any more: no group that holds it
has variance, and nothing puts it right.

    python -m masa_benchmarks.comparison.names RUN/model [RUN/model ...]
"""

from __future__ import annotations

import argparse
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from masa_benchmarks.comparison.demonstrations import SOLUTION_TEMPLATE
from masa_benchmarks.comparison.task import RANGES, Name, SumProblem, find_range, make_problems

if TYPE_CHECKING:
    import torch

SHARE_EDGES = (0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95, 1.0)
"""Of the shares that are counted together."""


def list_prefixes(problem: SumProblem) -> list[tuple[Name, str]]:
    """Return, for each half-known name of a problem, a right solution up to where it is said."""
    total, text, found = 0, "So", []
    for name in problem.names:
        if name.sort == "half":
            found.append((name, f"{text} {name.text} recall"))
        total += name.value
        text += f" {name.text} recall {name.value} {find_range(name.value)} fits sum {total:02d};"
    return found


class NameProbe:
    """A policy that is asked for the values of half-known names.

    Args:
        model: a Hugging Face folder.
        problems: learnable ones in which the names are asked for.
        seed: of the problems.

    Attributes:
        policy: in float32.
        names: those that come up, by their text.
    """

    def __init__(self, model: Path, problems: int = 300, seed: int = 0) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self._tokenizer = AutoTokenizer.from_pretrained(model)
        self.policy = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32).eval()
        self._digits = {v: self._ids(f" {v}")[-1] for values in RANGES.values() for v in values}
        self.names: dict[str, Name] = {}
        self._begun: dict[str, list[torch.Tensor]] = defaultdict(list)
        for problem in make_problems(problems, seed, kinds=["learnable"]):
            for name, text in list_prefixes(problem):
                self.names[name.text] = name
                asked = SOLUTION_TEMPLATE.format(problem=problem.problem) + text
                self._begun[name.text].append(torch.tensor([self._ids(asked)]))

    def _ids(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def logits(self, text: str, most: int | None = None) -> torch.Tensor:
        """Return those of the values that fit the name's range.

        Args:
            text: of the name.
            most: no more beginnings than so many.

        Returns:
            Shape (beginnings, values), in the order of `RANGES`.
        """
        import torch

        said = [self._digits[value] for value in RANGES[find_range(self.names[text].value)]]
        return torch.stack(
            [self.policy(ids).logits[0, -1][said] for ids in self._begun[text][:most]]
        )


def measure_right_shares(asked: NameProbe) -> dict[str, float]:
    """Return how much of its probability a policy gives the right value of each half-known name.

    Of all that it gives to values of the name's range, the mean over what comes before it.
    """
    import torch

    shares = {}
    with torch.no_grad():
        for text, name in asked.names.items():
            at = RANGES[find_range(name.value)].index(name.value)
            shares[text] = float(asked.logits(text).softmax(-1)[:, at].mean())
    return shares


def measure_interference(asked: NameProbe, beginnings: int = 4) -> float:
    """Return how far a step that teaches a policy one half-known name moves the others.

    A small step along the gradient of a name's log odds, of the right value and the one that it is
    confused with, changes those odds; how far it changes the odds of the same two values at another
    name of the same range, beside that, and the mean over all pairs. 1: names are all one to it; 0:
    what it learns about one says nothing about another, as in the task.

    Args:
        asked: the policy.
        beginnings: that each name is asked for with, at most.
    """
    import torch

    parameters = list(asked.policy.parameters())
    by_range = defaultdict(list)
    for text, name in asked.names.items():
        values = asked.logits(text, beginnings).mean(0)
        rows = [
            torch.cat([g.flatten() for g in torch.autograd.grad(v, parameters, retain_graph=True)])
            for v in values
        ]
        by_range[find_range(name.value)].append((name, torch.stack(rows)))
    moved = []
    for fitting, found in by_range.items():
        for name, rows in found:
            right, mistaken = (RANGES[fitting].index(v) for v in (name.value, name.mistaken))
            step = rows[right] - rows[mistaken]
            moved += [
                float(step @ (other[right] - other[mistaken]) / (step @ step))
                for beside, other in found
                if beside is not name
            ]
    return statistics.fmean(moved)


def count_by_share(shares: Mapping[str, float]) -> list[int]:
    """Return how many names lie between each two of `LIMITS`."""
    inner = SHARE_EDGES[1:-1]
    counts = [0] * (len(SHARE_EDGES) - 1)
    for share in shares.values():
        counts[sum(share >= limit for limit in inner)] += 1
    return counts


def print_names(models: Sequence[Path]) -> None:
    """Print a table: a row a policy, called after the run that its folder lies in."""
    between = [f"{low:.2f} to {high:.2f}" for low, high in pairwise(SHARE_EDGES)]
    print(f"| run | mean | {' | '.join(between)} | pull |")
    print("|---" * (len(between) + 3) + "|")
    for model in models:
        asked = NameProbe(model)
        shares = measure_right_shares(asked)
        cells = [f"{statistics.fmean(shares.values()):.2f}", *map(str, count_by_share(shares))]
        row = [model.resolve().parent.name, *cells, f"{measure_interference(asked):.2f}"]
        print(f"| {' | '.join(row)} |", flush=True)


def main(argv: Sequence[str] | None = None) -> None:
    """Print the table of the models that are named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("models", nargs="+", type=Path, help="folders that runs leave")
    print_names(parser.parse_args(argv).models)


if __name__ == "__main__":
    main()
