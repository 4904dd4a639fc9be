r"""What the warm-up shows the tiny policy: worked solutions, and the form of a prediction.

A solution works on one line a step and names what it does::

    From 47
    (a) plus 8 carry 55
    (b) times 3 table 15 15 65 check 65
    (c) minus 9 borrow 56
    \boxed{56}

Some steps are careful and right, others sloppy and mostly wrong ("guess", "wait", "skip"); the
harder the step, the more often it is sloppy. After the warm-up the policy therefore solves a
problem as often as its steps allow, with groups of rollouts at every pass rate, and has something
to gain from being careful.

**Planted on purpose:** that careful words go with right answers, sloppy words with wrong ones, and
length with both, is put there by these demonstrations. A tiny run shows that the method finds such
correlations; it does not show that they exist anywhere else.
"""

from __future__ import annotations

import json
import random

from masa_openrlhf.tiny.task import LABELS, ChainProblem, ChainStep, apply_step, is_crossing
from masa_openrlhf.tiny.wording import PASS_RATE_SCALE

CAREFUL_NOTIONS = ("count", "carry", "borrow", "double", "table", "check")
SLOPPY_NOTIONS = ("guess", "wait", "skip")
NOTIONS = CAREFUL_NOTIONS + SLOPPY_NOTIONS

SLOPPINESS = {"count": 0, "carry": 0.4, "borrow": 0.4, "double": 0.4, "table": 0.5, "hash": 1}
"""How often a step of each sort is done sloppily. The untaught operation can only be guessed."""

RECHECK_RATE = 0.15
"""How often a careful step says its result once more: the spread of lengths of right solutions."""

DEMO_LENGTHS = (10, 50)
"""Between these lie the solution lengths that demonstrated predictions state, whatever is true."""

WAIT_RATE = 0.75
"""How often somebody who guesses waits and guesses again: the lost run on."""

LUCKY_RATE = 0.15
"""How often a guess at a step that could be done is right."""


def name_step_notion(value: int, step: ChainStep) -> str:
    """Return the word for what `step` takes on `value`: a careful notion, or "hash"."""
    if step.operation == "hash":
        return "hash"
    if step.operation == "times":
        return "double" if step.digit == 2 else "table"
    if not is_crossing(value, step):
        return "count"
    return "carry" if step.operation == "plus" else "borrow"


def _write_careful_step(rng: random.Random, value: int, step: ChainStep) -> tuple[str, int]:
    notion, result = name_step_notion(value, step), apply_step(value, step)
    text = notion
    if notion == "table":
        text += f" {value // 10 * step.digit:02d} {value % 10 * step.digit:02d}"
    text += f" {result:02d}"
    while notion != "count" and rng.random() < RECHECK_RATE:
        text += f" check {result:02d}"
    return text, result


def _write_sloppy_step(rng: random.Random, value: int, step: ChainStep) -> tuple[str, int]:
    if rng.random() < 0.15:
        return f"skip {value:02d}", value

    def guess() -> int:
        lucky = step.operation != "hash" and rng.random() < LUCKY_RATE
        return apply_step(value, step) if lucky else rng.randrange(100)

    result = guess()
    text = f"guess {result:02d}"
    while rng.random() < WAIT_RATE:
        result = guess()
        text += f" wait {result:02d}"
    return text, result


def write_solution_demo(problem: ChainProblem, rng: random.Random, *, careful: bool = False) -> str:
    """Return a worked solution, right or wrong.

    Args:
        problem: What to solve.
        rng: Decides which steps are sloppy, and how.
        careful: Take every step carefully. A step of the untaught operation is guessed even so.
    """
    value, lines = problem.start, [f"From {problem.start:02d}"]
    for label, step in zip(LABELS, problem.steps, strict=False):
        notion = name_step_notion(value, step)
        if notion == "hash" or (not careful and rng.random() < SLOPPINESS[notion]):
            work, value = _write_sloppy_step(rng, value, step)
        else:
            work, value = _write_careful_step(rng, value, step)
        lines.append(f"({label}) {step.operation} {step.digit} {work}")
    return "\n".join([*lines, f"\\boxed{{{value:02d}}}"])


def write_meta_demo(problem: ChainProblem, rng: random.Random) -> str:
    """Return a prediction that teaches the FORM only: its numbers and notions are drawn at random.

    What stands between the tags names the operations of the problem: a place to look at it, which
    says nothing of how hard they are. Whatever a trained policy's predictions say about a problem,
    it learned from the meta reward. The numbers come first, close to the operations: a model this
    small then learns sooner what they depend on.
    """
    thinking = " ".join(step.operation for step in problem.steps)
    prediction = {
        "pass_rate": rng.randint(0, PASS_RATE_SCALE),
        "solution_length": rng.randint(*DEMO_LENGTHS),
        "math_notion": rng.sample(NOTIONS, rng.randint(1, 3)),
    }
    return f"<meta> {thinking}</meta>{json.dumps(prediction)}"
