"""Binomial regression: against the same regression in its weights, and against integrals."""

import math

import numpy as np
import pytest
from masa_control.readers.regression import (
    LogitMoments,
    apply_logistic,
    compute_rate_moments,
    fit_regression,
)


def test_one_group_alone_is_solved_by_hand():
    # The mode of k log σ(f) + (n - k) log σ(-f) - f² / 20 has f = 10 (k - n σ(f)).
    fitted = fit_regression(np.array([[10.0]]), np.array([3.0]), np.array([4.0]))
    mode = 10 * fitted.slope_N[0]
    assert mode == pytest.approx(10 * (3 - 4 * apply_logistic(np.array([mode]))[0]), abs=1e-7)
    # Another problem of which nothing is known but that both share the level.
    logits = fitted.predict_logits(np.array([[10.0]]), np.array([14.0]))
    curvature = 4 * apply_logistic(np.array([mode]))[0] * (1 - apply_logistic(np.array([mode]))[0])
    assert logits.mean_Q[0] == pytest.approx(mode)
    assert logits.variance_Q[0] == pytest.approx(4 + 1 / (1 / 10 + curvature))


def weight_space(x_N_D, prior_D, right_N, judged_N):
    """The same posterior, in the weights: plain Newton on ridge-penalised logistic regression."""
    weights = np.zeros(x_N_D.shape[1])
    for _ in range(100):
        rate = 1 / (1 + np.exp(-x_N_D @ weights))
        hessian = (x_N_D * (judged_N * rate * (1 - rate))[:, None]).T @ x_N_D + np.diag(1 / prior_D)
        gradient = x_N_D.T @ (right_N - judged_N * rate) - weights / prior_D
        weights = weights + np.linalg.solve(hessian, gradient)
    return weights, np.linalg.inv(hessian)


@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_regression_on_weights(seed):
    rng = np.random.default_rng(seed)
    x, other = rng.normal(size=(30, 5)), rng.normal(size=(7, 5))
    prior = rng.uniform(0.2, 3, size=5)
    judged = rng.integers(1, 9, size=30).astype(float)
    right = rng.binomial(judged.astype(int), apply_logistic(x @ rng.normal(size=5))).astype(float)
    weights, covariance = weight_space(x, prior, right, judged)
    gram, cross = (x * prior) @ x.T, (other * prior) @ x.T
    logits = fit_regression(gram, right, judged).predict_logits(
        cross, np.einsum("qd,d,qd->q", other, prior, other)
    )
    assert logits.mean_Q == pytest.approx(other @ weights, abs=1e-6)
    expected = np.einsum("qd,de,qe->q", other, covariance, other)
    assert logits.variance_Q == pytest.approx(expected, rel=1e-6)


def test_groups_that_are_all_right_or_all_wrong_have_a_finite_fit():
    gram = 400.0 * np.eye(6) + 10.0
    fitted = fit_regression(gram, np.array([8.0, 0, 8, 0, 8, 0]), np.full(6, 8.0))
    logits = fitted.predict_logits(gram, np.diag(gram))
    assert np.isfinite(logits.mean_Q).all()
    assert np.isfinite(logits.variance_Q).all()
    assert (np.sign(logits.mean_Q) == [1, -1, 1, -1, 1, -1]).all()


@pytest.mark.parametrize("judged", [[0.0], [-1.0], [2.0]])
def test_counts_that_cannot_be_are_refused(judged):
    with pytest.raises(ValueError, match="0 <= right <= judged and judged > 0"):
        fit_regression(np.eye(1), np.array([3.0]), np.array(judged))
    with pytest.raises(ValueError, match="needs groups"):
        fit_regression(np.eye(0), np.array([]), np.array([]))


@pytest.mark.parametrize(("mean", "variance"), [(0, 1), (-3, 0.5), (2, 9), (-6, 4), (1.5, 0)])
def test_moments_of_the_pass_rate_are_integrals(mean, variance):
    found = compute_rate_moments(LogitMoments(np.array([float(mean)]), np.array([float(variance)])))
    grid = mean + math.sqrt(variance) * np.linspace(-12, 12, 200_001)
    density = np.exp(-(np.linspace(-12, 12, 200_001) ** 2) / 2)
    density /= density.sum()
    rate = apply_logistic(grid)
    assert found.mean_Q[0] == pytest.approx(rate @ density, abs=2e-4)
    assert found.variance_Q[0] == pytest.approx(rate**2 @ density - (rate @ density) ** 2, abs=1e-3)


def test_symmetric_logits_have_a_pass_rate_of_a_half():
    found = compute_rate_moments(LogitMoments(np.zeros(1), np.full(1, 3.0)))
    assert found.mean_Q[0] == pytest.approx(0.5)
