"""Decisions: the episode that asks a policy what will happen, lets it happen, and pays for both.

masa-control knows an engine and a verifier as protocols and nothing of any training stack: the same
episode runs under vLLM in a Ray actor, under another engine, or against a scripted one.
"""

from masa_rewards.statistics import Interval

from masa_control.audit import Tally, Total, audit_draw
from masa_control.audited_gate import AuditedGate, AuditedGateSettings, GateOutcome
from masa_control.controller import Controller, ControlSettings
from masa_control.cutoff import (
    CalibratedCutoff,
    CalibratedCutoffSettings,
    LengthCutoff,
    LengthOutcome,
)
from masa_control.episode import (
    META,
    SOLUTION,
    Episode,
    MetaRollout,
    Problem,
    SolutionRollout,
    judged_group,
)
from masa_control.experts import Expert, ExpertBuffer, ExpertSettings
from masa_control.gate import DistanceGate, Gate, GateDecision, PredictiveGate
from masa_control.hints import HINT_TEMPLATE, HintChooser, Hints, HintSettings
from masa_control.ledger import Ledger
from masa_control.metrics import step_metrics
from masa_control.notion_totals import notion_totals
from masa_control.pairs import Pairs, predicted_and_true
from masa_control.plan import CutoffDecision, Plan, Planner
from masa_control.play import EpisodeSettings, run_episode
from masa_control.protocols import Completion, Engine, Verifier
from masa_control.schedule import Alignment, Schedule
from masa_control.signals import (
    JUDGEMENTS,
    Judgement,
    MetaSignal,
    SignalOutcome,
    asked_for,
    load_signals,
)
from masa_control.stopwatch import Stopwatch

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
