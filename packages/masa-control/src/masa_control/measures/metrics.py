"""What one step's episodes say: pass rate, meta rewards, and how well the two agree.

Names are ``area/name``. A figure that the episodes do not define (a correlation over fewer than two
distinct values, a mean over nothing) is left out, never invented.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from masa_rewards.statistics import pearson_correlation

from masa_control.episode.types import Episode, MetaRollout
from masa_control.measures.calibration import calibration_points


def step_metrics(episodes: Sequence[Episode]) -> dict[str, float]:
    """Summarise the episodes of one step.

    Args:
        episodes: the step's episodes; any number of rollouts each.

    Returns:
        ``solution/*``: pass rate (pass@1), length (tokens), share truncated, share of problems
        whose group has no variance, share of rollouts that could not be judged. ``meta/*``: the
        reward and its three parts, means of prediction and truth, their correlation over problems,
        share unreadable. ``gate/*`` and ``cutoff/*``: share of problems skipped, by reason, and
        audited; share of rollouts cut, their mean limit (tokens). ``reader/*``: mean and standard
        deviation of what a reader believed of problems that it knows enough of, its distance from
        what came of them and their correlation. ``waves/*``: solutions of a group that grew in
        waves, share of such groups that was stopped, and audited. ``tokens/*``: tokens made, by
        kind.
    """
    return {
        **_solution_metrics(episodes),
        **_meta_metrics(episodes),
        **_decision_metrics(episodes),
        **_reader_metrics(episodes),
        **_wave_metrics(episodes),
        **_token_metrics(episodes),
    }


def _solution_metrics(episodes: Sequence[Episode]) -> dict[str, float]:
    rollouts = [s for e in episodes for s in e.solutions]
    rates = [e.pass_rate for e in episodes if e.pass_rate is not None]
    return _mean_columns(
        {
            "solution/pass_rate": rates,
            "solution/no_variance": [rate in (0.0, 1.0) for rate in rates],
            "solution/length": [len(s.completion.token_ids) for s in rollouts],
            "solution/truncated": [s.completion.truncated for s in rollouts],
            "solution/verifier_failed": [s.verdict.failed for s in rollouts],
            "solution/unparsable": [s.verdict.status == "unparsable" for s in rollouts],
        }
    )


def _meta_metrics(episodes: Sequence[Episode]) -> dict[str, float]:
    rollouts = [m for e in episodes for m in e.meta]
    rewards = [m.reward for m in rollouts if m.reward is not None]
    predictions = [m.prediction for m in rollouts]
    metrics = _mean_columns(
        {
            "meta/reward": [m.total_reward for m in rollouts if m.total_reward is not None],
            "meta/reward_length": [r.length for r in rewards],
            "meta/reward_difficulty": [r.difficulty for r in rewards],
            "meta/reward_notion": [r.notion for r in rewards],
            "meta/length": [len(m.completion.token_ids) for m in rollouts],
            "meta/truncated": [m.completion.truncated for m in rollouts],
            "meta/unreadable_pass_rate": [p.pass_rate is None for p in predictions],
            "meta/unreadable_length": [p.length is None for p in predictions],
            "meta/unreadable_notion": [p.notions is None for p in predictions],
        }
    )
    return {**metrics, **_signal_metrics(rollouts), **_alignment_metrics(episodes)}


def _signal_metrics(rollouts: Sequence[MetaRollout]) -> dict[str, float]:
    columns: dict[str, list[float]] = {}
    for rollout in rollouts:
        for key, outcome in rollout.signals.items():
            columns.setdefault(f"meta/unreadable_{key}", []).append(outcome.prediction is None)
            if outcome.reward is not None:
                columns.setdefault(f"meta/reward_{key}", []).append(outcome.reward)
    return _mean_columns(columns)


def _decision_metrics(episodes: Sequence[Episode]) -> dict[str, float]:
    plans = [(e, e.plan) for e in episodes if e.plan is not None]
    gated = [(e, plan) for e, plan in plans if plan.gate is not None]
    limited = [(e, plan.cutoff) for e, plan in plans if plan.cutoff is not None]
    return _mean_columns(
        {
            "gate/skipped": [e.skipped is not None for e, _ in gated],
            "gate/skipped_trivial": [e.skipped == "trivial" for e, _ in gated],
            "gate/skipped_unsolvable": [e.skipped == "unsolvable" for e, _ in gated],
            "gate/audited": [plan.gate_audited for _, plan in gated],
            "cutoff/cut": [s.cut is not None for e, _ in limited for s in e.solutions],
            "cutoff/max_tokens": [decided.max_tokens for _, decided in limited],
            "cutoff/audited": [plan.cutoff_audited for _, plan in plans if plan.cutoff],
            "hints/notions": [len(plan.hint) for _, plan in plans if plan.solve],
        }
    )


def _reader_metrics(episodes: Sequence[Episode]) -> dict[str, float]:
    believed = [(e, e.belief) for e in episodes if e.belief is not None]
    pairs = [(belief.mean, e.pass_rate) for e, belief in believed if e.pass_rate is not None]
    metrics = _mean_columns(
        {
            "reader/pass_rate": [belief.mean for _, belief in believed],
            "reader/std": [belief.std for _, belief in believed],
            "reader/error": [abs(mean - true) for mean, true in pairs],
        }
    )
    if (value := pearson_correlation(pairs)) is not None:
        metrics["reader/correlation"] = value
    return metrics


def _wave_metrics(episodes: Sequence[Episode]) -> dict[str, float]:
    grown = [(e, e.waves) for e in episodes if e.waves is not None]
    chosen = [e.plan.gate.keep for e in episodes if e.plan and e.plan.gate]
    return _mean_columns(
        {
            "waves/rollouts": [len(e.solutions) for e, _ in grown],
            "waves/stopped": [record.stopped_at is not None for _, record in grown],
            "waves/audited": [record.audited for _, record in grown],
            "gate/keep": [keep for keep in chosen if keep is not None],
        }
    )


def _alignment_metrics(episodes: Sequence[Episode]) -> dict[str, float]:
    rates, lengths = calibration_points(episodes)
    metrics = _mean_columns(
        {
            "meta/predicted_pass_rate": [predicted for predicted, _ in rates],
            "meta/pass_rate_error": [abs(predicted - true) for predicted, true in rates],
            "meta/predicted_length": [predicted for predicted, _ in lengths],
            "meta/correct_length": [true for _, true in lengths],
        }
    )
    for name, pairs in (("pass_rate", rates), ("length", lengths)):
        if (value := pearson_correlation(pairs)) is not None:
            metrics[f"meta/{name}_correlation"] = value
    return metrics


def _token_metrics(episodes: Sequence[Episode]) -> dict[str, float]:
    return {
        "tokens/meta": float(sum(len(m.completion.token_ids) for e in episodes for m in e.meta)),
        "tokens/solution": float(
            sum(len(s.completion.token_ids) for e in episodes for s in e.solutions)
        ),
    }


def _mean_columns(columns: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {name: statistics.fmean(values) for name, values in columns.items() if len(values)}
