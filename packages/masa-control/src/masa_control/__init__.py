"""Decisions: the episode that asks a policy what will happen, lets it happen, and pays for both.

masa-control knows an engine and a verifier as protocols and nothing of any training stack: the same
episode runs under vLLM in a Ray actor, under another engine, or against a scripted one.
"""

from masa_rewards.statistics import Interval

from masa_control.decisions.audited_gate import AuditedGate, AuditedGateSettings, GateOutcome
from masa_control.decisions.controller import Controller, ControlSettings
from masa_control.decisions.cutoff import (
    CalibratedCutoff,
    CalibratedCutoffSettings,
    LengthCutoff,
    LengthOutcome,
)
from masa_control.decisions.experts import Expert, ExpertBuffer, ExpertSettings
from masa_control.decisions.gate import DistanceGate, Gate, PredictiveGate
from masa_control.decisions.hints import HintChooser, Hints, HintSettings
from masa_control.decisions.planner import Planner
from masa_control.decisions.schedule import Alignment, Schedule
from masa_control.episode.plan import CutoffDecision, GateDecision, Plan
from masa_control.episode.protocols import Completion, Engine, Verifier
from masa_control.episode.run import run_episode
from masa_control.episode.settings import HINT_TEMPLATE, EpisodeSettings
from masa_control.episode.signals import (
    JUDGEMENTS,
    Judgement,
    MetaSignal,
    SignalOutcome,
    asked_for,
    load_signals,
)
from masa_control.episode.stopwatch import Stopwatch
from masa_control.episode.types import (
    META,
    SOLUTION,
    Episode,
    MetaRollout,
    Problem,
    SolutionRollout,
    judged_group,
)
from masa_control.measures.audit import Tally, Total, audit_draw
from masa_control.measures.calibration import Pairs, predicted_and_true
from masa_control.measures.ledger import Ledger
from masa_control.measures.metrics import step_metrics
from masa_control.measures.notion_counts import notion_totals

__all__ = [
    "HINT_TEMPLATE",
    "JUDGEMENTS",
    "META",
    "SOLUTION",
    "Alignment",
    "AuditedGate",
    "AuditedGateSettings",
    "CalibratedCutoff",
    "CalibratedCutoffSettings",
    "Completion",
    "ControlSettings",
    "Controller",
    "CutoffDecision",
    "DistanceGate",
    "Engine",
    "Episode",
    "EpisodeSettings",
    "Expert",
    "ExpertBuffer",
    "ExpertSettings",
    "Gate",
    "GateDecision",
    "GateOutcome",
    "HintChooser",
    "HintSettings",
    "Hints",
    "Interval",
    "Judgement",
    "Ledger",
    "LengthCutoff",
    "LengthOutcome",
    "MetaRollout",
    "MetaSignal",
    "Pairs",
    "Plan",
    "Planner",
    "PredictiveGate",
    "Problem",
    "Schedule",
    "SignalOutcome",
    "SolutionRollout",
    "Stopwatch",
    "Tally",
    "Total",
    "Verifier",
    "asked_for",
    "audit_draw",
    "judged_group",
    "load_signals",
    "notion_totals",
    "predicted_and_true",
    "run_episode",
    "step_metrics",
]
