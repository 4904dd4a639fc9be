"""Binomial regression with a Gaussian prior: how often out of n, from features, and how sure.

    k_i ~ Binomial(n_i, σ(f_i)),   f ~ N(0, K),   K_ij = (s / D) z_i · z_j + b

is logistic regression with an L2 penalty on the weights of D standardised features, seen from the
groups: with fewer groups than features (512 against thousands of tokens or hidden units) it is
solved in as many unknowns as there are groups. The posterior of f is approximated at its mode by a
Gaussian (Laplace); Rasmussen and Williams, Gaussian Processes for Machine Learning, 3.4, with
counts in the place of labels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(48)
_WEIGHTS = _WEIGHTS / _WEIGHTS.sum()
_LARGEST = 30.0
"""Logit beyond which a probability is 0 or 1 to 1e-13."""


def apply_logistic(logits: Array) -> Array:
    """Return σ of logits, without overflow."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -_LARGEST, _LARGEST))))


class LogitMoments(NamedTuple):
    """The posterior of the logit of Q problems.

    Attributes:
        mean_Q: its means.
        variance_Q: its variances, >= 0.
    """

    mean_Q: Array
    variance_Q: Array


class RateMoments(NamedTuple):
    """The posterior of the pass rate of Q problems.

    Attributes:
        mean_Q: in (0, 1).
        variance_Q: in [0, mean * (1 - mean)).
    """

    mean_Q: Array
    variance_Q: Array


@dataclass(frozen=True)
class FittedRegression:
    """The posterior after N groups.

    Attributes:
        slope_N: gradient of the log-likelihood at the mode, k - n σ(f).
        middle_N_N: W^½ (I + W^½ K W^½)^-1 W^½, W the diagonal of n σ (1 - σ).
    """

    slope_N: Array
    middle_N_N: Array

    def predict_logits(self, cross_Q_N: Array, own_Q: Array) -> LogitMoments:
        """Return the posterior of the logits of Q other problems.

        Args:
            cross_Q_N: prior covariance of theirs with those of the N groups.
            own_Q: prior variance of their own.
        """
        explained_Q = np.einsum("qn,nm,qm->q", cross_Q_N, self.middle_N_N, cross_Q_N, optimize=True)
        return LogitMoments(cross_Q_N @ self.slope_N, np.maximum(own_Q - explained_Q, 0.0))


def fit_regression(
    gram_N_N: Array, right_N: Array, judged_N: Array, *, steps: int = 50, tolerance: float = 1e-8
) -> FittedRegression:
    """Fit by Newton steps from f = 0: a function of the groups alone, however often it is asked.

    Args:
        gram_N_N: prior covariance K, positive semi-definite.
        right_N: k, in [0, n].
        judged_N: n, > 0.
        steps: Newton steps, at most.
        tolerance: largest change of a logit at which it has converged.

    Raises:
        ValueError: counts that cannot be.
    """
    if not (len(right_N) and np.all((right_N >= 0) & (right_N <= judged_N) & (judged_N > 0))):
        raise ValueError(
            f"a regression needs groups with 0 <= right <= judged and judged > 0, got right "
            f"{right_N!r} of {judged_N!r}"
        )
    mode = _Mode(np.zeros(len(right_N)), np.zeros(len(right_N)), -math.inf)
    for _ in range(steps):
        before, mode = mode, _take_step(mode, gram_N_N, right_N, judged_N)
        if np.abs(mode.logits_N - before.logits_N).max() < tolerance:
            break
    rate_N = apply_logistic(mode.logits_N)
    middle_N_N = _compute_middle(gram_N_N, judged_N * rate_N * (1 - rate_N))
    return FittedRegression(right_N - judged_N * rate_N, middle_N_N)


class _Mode(NamedTuple):
    """Where the search for the mode is: f = K a, and the log posterior there."""

    logits_N: Array
    weights_N: Array
    value: float


def _take_step(mode: _Mode, gram_N_N: Array, right_N: Array, judged_N: Array) -> _Mode:
    """Take a Newton step; halved until it lowers nothing, which ends: the posterior is concave."""
    rate_N = apply_logistic(mode.logits_N)
    w_N = judged_N * rate_N * (1 - rate_N)
    wanted_N = w_N * mode.logits_N + right_N - judged_N * rate_N
    full_N = wanted_N - _compute_middle(gram_N_N, w_N) @ (gram_N_N @ wanted_N)
    share = 1.0
    while True:
        weights_N = mode.weights_N + share * (full_N - mode.weights_N)
        logits_N = gram_N_N @ weights_N
        value = _log_posterior(logits_N, weights_N, right_N, judged_N)
        if value >= mode.value - 1e-12 * abs(value) or share < 1e-6:
            return _Mode(logits_N, weights_N, value)
        share /= 2


def _compute_middle(gram_N_N: Array, w_N: Array) -> Array:
    root_N = np.sqrt(w_N)
    inner_N_N = root_N[:, None] * gram_N_N * root_N
    inner_N_N[np.diag_indices_from(inner_N_N)] += 1
    return np.asarray(root_N[:, None] * np.linalg.inv(inner_N_N) * root_N)


def _log_posterior(logits_N: Array, weights_N: Array, right_N: Array, judged_N: Array) -> float:
    likelihood = right_N @ logits_N - judged_N @ np.logaddexp(0, logits_N)
    return float(likelihood - weights_N @ logits_N / 2)


def compute_rate_moments(logits: LogitMoments) -> RateMoments:
    """Return mean and variance of σ(f) for f ~ N(mean, variance), by Gauss-Hermite quadrature."""
    spread_Q = np.sqrt(logits.variance_Q)
    rates_Q_H = apply_logistic(logits.mean_Q[:, None] + spread_Q[:, None] * _NODES)
    mean_Q = rates_Q_H @ _WEIGHTS
    return RateMoments(mean_Q, (rates_Q_H - mean_Q[:, None]) ** 2 @ _WEIGHTS)
