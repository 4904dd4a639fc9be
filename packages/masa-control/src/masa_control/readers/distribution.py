"""A predicted pass rate as a distribution: the digits that could stand in its place.

One sampled digit says little of what the policy believes; the probabilities of all digits at that
place say it whole. Expectation and variance over them are those of the prediction, without a second
sample.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from masa_rewards import MetaPrompt

from masa_control.episode.belief import Belief
from masa_control.episode.protocols import Completion

LARGEST_SCALE = 9
"""Largest scale of pass rates whose numbers are one digit, and so one token."""


class RateDistribution(NamedTuple):
    """Moments of a predicted pass rate.

    Attributes:
        mean: in [0, 1].
        variance: >= 0.
    """

    mean: float
    variance: float


def read_rate_distribution(
    alternatives: Mapping[str, float], scale: int, min_mass: float = 0.5
) -> RateDistribution | None:
    """Return the moments of a pass rate over the digits that could have been sampled.

        q_d = P(d) / Σ P(0..scale),   mean = Σ q_d d / scale,
        variance = Σ q_d (d / scale)² - mean²

    Args:
        alternatives: log-probability of each token that could stand there, by its text; " 4" and
            "4" are the same digit.
        scale: largest number that can be stated, 1 to 9.
        min_mass: smallest Σ P.

    Returns:
        None where the digits have less probability than that.

    Raises:
        ValueError: a scale of numbers that are more than one digit.
    """
    require_single_digits(scale)
    mass = [0.0] * (scale + 1)
    for text, log_probability in alternatives.items():
        digit = text.strip()
        if digit.isascii() and digit.isdigit() and len(digit) == 1 and int(digit) <= scale:
            mass[int(digit)] += math.exp(log_probability)
    total = math.fsum(mass)
    if total < min_mass:
        return None
    mean = math.fsum(q * d for d, q in enumerate(mass)) / total / scale
    square = math.fsum(q * d * d for d, q in enumerate(mass)) / total / scale**2
    return RateDistribution(min(mean, 1.0), max(square - mean * mean, 0.0))


def require_single_digits(scale: int) -> None:
    """Raise where a number of the scale is more than one token.

    Raises:
        ValueError: it is; what else could stand in its place is then a choice of several tokens, of
            which one sample shows only the first.
    """
    if not 1 <= scale <= LARGEST_SCALE:
        raise ValueError(
            f"the distribution of a predicted pass rate is read off one digit, and "
            f"meta.prompt.scale = {scale!r} has numbers of several: set a scale of at most "
            f"{LARGEST_SCALE}, or take another reader"
        )


@dataclass(frozen=True, slots=True)
class DistributionReader:
    """Reads predictions whose completions carry alternatives; a value, not a state.

    Attributes:
        prompt: the contract that predictions are read by.
        min_mass: smallest probability that the digits have together, in (0, 1].
        min_readable: smallest share of readable predictions, in (0, 1].
    """

    prompt: MetaPrompt
    min_mass: float = 0.5
    min_readable: float = 0.5

    def read(self, completions: Sequence[Completion]) -> Belief | None:
        """Return what predictions of one problem believe together: the mixture of them.

        Args:
            completions: the M predictions, in any order.

        Returns:
            None where fewer than ``min_readable`` of them can be read.
        """
        found = [one for c in completions if (one := self._read_one(c)) is not None]
        if not found or len(found) < self.min_readable * len(completions):
            return None
        mean = math.fsum(one.mean for one in found) / len(found)
        square = math.fsum(one.variance + one.mean**2 for one in found) / len(found)
        variance = min(max(square - mean * mean, 0.0), mean * (1 - mean))
        return Belief(mean, variance, "distribution", seen=len(found))

    def _read_one(self, completion: Completion) -> RateDistribution | None:
        if not completion.alternatives or self.prompt.parse(completion.text).pass_rate is None:
            return None
        # With one number replaced, where it begins is where it began.
        changed = self.prompt.correct(completion.text, pass_rate=0.0)
        begin = changed.places["pass_rate"][0]
        for place in (begin, begin + 1):  # a number, or one in quotes
            if place in completion.alternatives:
                offered = completion.alternatives[place]
                return read_rate_distribution(offered, self.prompt.scale, self.min_mass)
        return None
