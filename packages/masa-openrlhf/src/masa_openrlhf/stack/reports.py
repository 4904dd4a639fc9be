"""What a step's updates and an evaluation report, under our names."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from masa_control import Episode, step_metrics
from masa_rewards.statistics import rate_interval

# OpenRLHF's name -> ours. Its averages over samples would count fillers; those are taken from the
# episodes instead.
POLICY_METRICS = {
    "policy_loss": "policy/loss",
    "actor_grad_norm": "policy/grad_norm",
    "actor_grad_norm_passes": "policy/grad_norm_passes",
    "actor_lr": "policy/lr",
    "ppo_clip_ratio": "policy/clip_ratio",
    "ppo_kl": "policy/kl_step",
    "vllm_kl": "policy/kl_vllm",
    "is_filter_ratio": "policy/mismatch_filtered",
    "entropy_loss": "policy/entropy",
    "kl": "policy/kl_reference",
    "timing/make_experience": "time/score",
    "timing/ppo_train": "time/train",
    "timing/broadcast": "time/broadcast",
    "timing/generation": "time/generation",
}


def merge_reports(reports: Sequence[Mapping[str, Any]], passes: int) -> dict[str, Any]:
    """Return one report of a step's updates.

    What OpenRLHF reports of the update on rollouts is kept; of the cloning passes, the mean of
    their gradient norms, as ``actor_grad_norm_passes``. Times add up.

    Args:
        reports: of each update; that on rollouts, if there is one, is the first.
        passes: how many of them, the last ones, are cloning passes.
    """
    own, of_passes = reports[: len(reports) - passes], reports[len(reports) - passes :]
    status: dict[str, Any] = dict(own[0]) if own else {}
    if of_passes:
        norms = [float(report["actor_grad_norm"]) for report in of_passes]
        status["actor_grad_norm_passes"] = statistics.fmean(norms)
    for name in {key for report in reports for key in report if key.startswith("timing/")}:
        status[name] = sum(report.get(name, 0.0) for report in reports)
    return status


def eval_metrics(episodes: Sequence[Episode]) -> dict[str, float]:
    """Return ``step_metrics`` of an evaluation, under ``pass_at_1`` what it is known by.

    Beside it the ends of its interval over problems.
    """
    metrics = step_metrics(episodes)
    rates = [episode.pass_rate for episode in episodes if episode.pass_rate is not None]
    for end, value in zip(("", "_low", "_high"), rate_interval(rates), strict=True):
        if value is not None:
            metrics[f"pass_at_1{end}"] = value
    metrics["problems"] = float(len(episodes))
    return metrics
