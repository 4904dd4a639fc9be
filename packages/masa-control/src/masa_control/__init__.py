"""Decisions: the episode that asks a policy what will happen, lets it happen, and pays for both.

masa-control knows an engine and a verifier as protocols and nothing of any training stack: the same
episode runs under vLLM in a Ray actor, under another engine, or against a scripted one.
"""

from masa_control.episode import (
    META,
    SOLUTION,
    Episode,
    EpisodeSettings,
    MetaRollout,
    Problem,
    SolutionRollout,
    judged_group,
    run_episode,
)
from masa_control.ledger import Ledger
from masa_control.metrics import correlation, step_metrics
from masa_control.protocols import Completion, Engine, Verifier

__all__ = [
    "META",
    "SOLUTION",
    "Completion",
    "Engine",
    "Episode",
    "EpisodeSettings",
    "Ledger",
    "MetaRollout",
    "Problem",
    "SolutionRollout",
    "Verifier",
    "correlation",
    "judged_group",
    "run_episode",
    "step_metrics",
]
