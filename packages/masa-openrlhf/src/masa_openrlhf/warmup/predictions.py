"""The second stage: meta prompt, and a prediction in its form whose content says nothing.

**What is taught is the form.** The values are those that were observed of the model, so that they
look like what it will be asked for; but they are dealt to the problems in an order that does not go
with what was observed on them: of many orders the one is taken whose correlation is nearest to 0.
Pass rate, length and notions are dealt each on its own. What a trained policy's predictions say
about a problem it has learned from the meta reward.
"""

from __future__ import annotations

import random
import re
import statistics
from collections.abc import Sequence

from masa_control import META
from masa_rewards import ENGLISH_STOP_WORDS, MetaPrediction, MetaPrompt
from masa_rewards.statistics import pearson_correlation

from masa_openrlhf.warmup.demonstrations import TextDemonstration
from masa_openrlhf.warmup.notions import NotionDealer
from masa_openrlhf.warmup.observations import Marginals, ObservedProblem, collect_marginals

_ORDERS = 256
"""Orders that are tried."""

_MANY = 0.2
"""Share of lengths that cannot be stated, from which on it is told."""

_WORD = re.compile(r"[A-Za-z]{4,}")
_NAMED_WORDS = 6


def make_prediction_demonstrations(
    observed: Sequence[ObservedProblem],
    prompt: MetaPrompt,
    dealer: NotionDealer,
    rng: random.Random,
    *,
    spread: float = 0.0,
) -> list[TextDemonstration]:
    """Return a demonstration for each problem.

    Args:
        observed: the problems, and how the model did on them.
        prompt: the run's meta prompt: it words the question, and writes the answer.
        dealer: of notions.
        rng: deals the values.
        spread: share of the values drawn evenly from their range instead.

    Raises:
        ValueError: no solution of any problem could be judged.
    """
    marginals = collect_marginals(observed)
    count = len(observed)
    stated_rates = draw_values(marginals.pass_rates, count, rng, spread=spread, within=(0.0, 1.0))
    rates = deal_values([one.pass_rate for one in observed], stated_rates, rng)
    within = (min(marginals.lengths), max(marginals.lengths))
    stated_lengths = draw_values(marginals.lengths, count, rng, spread=spread, within=within)
    lengths = deal_values([_find_length(one) for one in observed], stated_lengths, rng)
    shown = []
    for i, (one, rate, length) in enumerate(zip(observed, rates, lengths, strict=True)):
        statement = one.problem.text
        stated = MetaPrediction(
            pass_rate=rate,
            length=round(length),
            notions=dealer.deal(i, statement, rng) or None,
            missing={},
        )
        response = write_prediction(prompt, statement, stated)
        demonstration = TextDemonstration(META, one.problem.id, prompt.render(statement), response)
        shown.append(demonstration)
    return shown


def describe_short_lengths(marginals: Marginals, prompt: MetaPrompt) -> str:
    """Return what is to be said of lengths that a prediction cannot state; "" where they are few.

    Args:
        marginals: what was observed.
        prompt: asks for lengths from its ``min_length`` on.
    """
    short = sum(length < prompt.min_length for length in marginals.lengths)
    share = short / len(marginals.lengths)
    if share < _MANY:
        return ""
    return (
        f"{share:.0%} of the solutions are shorter than meta.prompt.min_length "
        f"({prompt.min_length} tokens; median {statistics.median(marginals.lengths):g}): no "
        "prediction can state their lengths. Lower it, here and in train"
    )


def write_prediction(prompt: MetaPrompt, statement: str, stated: MetaPrediction) -> str:
    """Return an answer to the meta prompt.

    What stands between the tags names words of the problem: a place to look at it, which says
    nothing of how hard it is. A wording that names no tags asks for the object alone.
    """
    if "{opening}" not in prompt.wording:
        return prompt.format(stated)
    words = [word for word in _WORD.findall(statement) if word.lower() not in ENGLISH_STOP_WORDS]
    named = ", ".join(dict.fromkeys(words[:_NAMED_WORDS])) or "numbers"
    thought = f"{prompt.opening} A problem of {named}. {prompt.closing}"
    return f"{thought}\n{prompt.format(stated)}"


def draw_values(
    pool: Sequence[float],
    count: int,
    rng: random.Random,
    *,
    spread: float = 0.0,
    within: tuple[float, float],
) -> list[float]:
    """Return so many values of a pool, each as often as every other, give or take one.

    Args:
        pool: at least one.
        count: how many.
        rng: draws.
        spread: share of them drawn evenly from ``within`` instead.
        within: the lowest and the highest.
    """
    whole, rest = divmod(count, len(pool))
    values = [*pool] * whole + rng.sample(pool, rest)
    return [rng.uniform(*within) if rng.random() < spread else value for value in values]


def deal_values(
    observed: Sequence[float | None], values: Sequence[float], rng: random.Random
) -> list[float]:
    """Return ``values`` in an order that does not go with what was observed.

        of 256 random orders the one with the smallest |Pearson(observed, values)|

    Args:
        observed: one a problem; None where nothing is known, which counts for nothing.
        values: as many.
        rng: makes the orders.

    Returns:
        The values, each once. Of one problem alone there is one order; where either side does not
        vary, any order has no correlation.
    """
    best, smallest = list(values), float("inf")
    for _ in range(_ORDERS):
        order = rng.sample(values, len(values))
        pairs = [(o, v) for o, v in zip(observed, order, strict=True) if o is not None]
        size = abs(pearson_correlation(pairs) or 0.0)
        if size < smallest:
            best, smallest = order, size
    return best


def _find_length(one: ObservedProblem) -> float | None:
    """The length of a problem's solutions: the median of the right ones, else of all."""
    lengths = one.right_lengths or tuple(answer.tokens for answer in one.answers)
    return statistics.median(lengths) if lengths else None
