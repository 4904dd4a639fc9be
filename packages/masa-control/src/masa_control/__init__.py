"""Decisions: the episode that asks a policy what will happen, lets it happen, and pays for both.

masa-control knows an engine and a verifier as protocols and nothing of any training stack: the same
episode runs under vLLM in a Ray actor, under another engine, or against a scripted one.

``masa_control.advantages`` and ``masa_control.loss``, what a policy is trained by, and the readers
of ``masa_control.readers.regression_reader`` need numpy and are imported by their own names.
"""

from masa_rewards.statistics import Interval

from masa_control.decisions.allocation import AllocationOff, AllocationSettings, WaveSettings
from masa_control.decisions.audited_gate import AuditedGate, AuditedGateSettings, GateOutcome
from masa_control.decisions.choice import ChoiceGate, ChoiceSettings, ProblemChoice
from masa_control.decisions.controller import Controller
from masa_control.decisions.cutoff import (
    CalibratedCutoff,
    CalibratedCutoffSettings,
    CutoffOff,
    FixedCutoffSettings,
    LengthCutoff,
    LengthOutcome,
)
from masa_control.decisions.experts import Expert, ExpertBuffer, ExpertSettings
from masa_control.decisions.gate import (
    DistanceGate,
    Gate,
    GateAudits,
    GateOff,
    PredictiveGate,
    StaticGateSettings,
)
from masa_control.decisions.hints import (
    HintChooser,
    Hints,
    HintsOff,
    PredictedHints,
    RecordedHints,
)
from masa_control.decisions.planner import Planner
from masa_control.decisions.schedule import (
    AlignedStart,
    FixedStart,
    Schedule,
    StepWeights,
    choose_step_weights,
)
from masa_control.decisions.settings import (
    ControlSettings,
    CutoffSettings,
    GateSettings,
    HintSettings,
    ScheduleSettings,
)
from masa_control.decisions.threshold_gate import ThresholdGateSettings
from masa_control.episode.belief import Belief
from masa_control.episode.plan import CutoffDecision, GateDecision, Plan
from masa_control.episode.protocols import Completion, Engine, EpisodePlanner, Verifier
from masa_control.episode.run import run_episode
from masa_control.episode.settings import EpisodeSettings, MetaSettings, SolutionSettings
from masa_control.episode.signals import (
    REWARD_COMPONENTS,
    MetaSignal,
    RewardComponent,
    SignalOutcome,
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
    verified_group,
)
from masa_control.episode.waves import WavePlan, WaveRecord
from masa_control.measures.audit import ConfusionCounts, SavingsEstimate, draw_audit
from masa_control.measures.calibration import CalibrationPoints, calibration_points
from masa_control.measures.ledger import Ledger
from masa_control.measures.metrics import step_metrics
from masa_control.measures.notion_counts import count_step_notions
from masa_control.readers.build import build_reader
from masa_control.readers.distribution import DistributionReader
from masa_control.readers.history import HistoryReader
from masa_control.readers.protocol import GroupOutcome, ProblemView, Reader, ReaderNeeds
from masa_control.readers.settings import (
    DistributionReaderSettings,
    HistoryReaderSettings,
    ProbeReaderSettings,
    ReaderSettings,
    SampledReaderSettings,
    WordsReaderSettings,
)
from masa_control.refill import FilledBatch, RefillRules, fill_batch
from masa_control.settings import Settings

__version__ = "0.1.0"

__all__ = [
    "META",
    "REWARD_COMPONENTS",
    "SOLUTION",
    "AlignedStart",
    "AllocationOff",
    "AllocationSettings",
    "AuditedGate",
    "AuditedGateSettings",
    "Belief",
    "CalibratedCutoff",
    "CalibratedCutoffSettings",
    "CalibrationPoints",
    "ChoiceGate",
    "ChoiceSettings",
    "Completion",
    "ConfusionCounts",
    "ControlSettings",
    "Controller",
    "CutoffDecision",
    "CutoffOff",
    "CutoffSettings",
    "DistanceGate",
    "DistributionReader",
    "DistributionReaderSettings",
    "Engine",
    "Episode",
    "EpisodePlanner",
    "EpisodeSettings",
    "Expert",
    "ExpertBuffer",
    "ExpertSettings",
    "FilledBatch",
    "FixedCutoffSettings",
    "FixedStart",
    "Gate",
    "GateAudits",
    "GateDecision",
    "GateOff",
    "GateOutcome",
    "GateSettings",
    "GroupOutcome",
    "HintChooser",
    "HintSettings",
    "Hints",
    "HintsOff",
    "HistoryReader",
    "HistoryReaderSettings",
    "Interval",
    "Ledger",
    "LengthCutoff",
    "LengthOutcome",
    "MetaRollout",
    "MetaSettings",
    "MetaSignal",
    "Plan",
    "Planner",
    "PredictedHints",
    "PredictiveGate",
    "ProbeReaderSettings",
    "Problem",
    "ProblemChoice",
    "ProblemView",
    "Reader",
    "ReaderNeeds",
    "ReaderSettings",
    "RecordedHints",
    "RefillRules",
    "RewardComponent",
    "SampledReaderSettings",
    "SavingsEstimate",
    "Schedule",
    "ScheduleSettings",
    "Settings",
    "SignalOutcome",
    "SolutionRollout",
    "SolutionSettings",
    "StaticGateSettings",
    "StepWeights",
    "Stopwatch",
    "ThresholdGateSettings",
    "Verifier",
    "WavePlan",
    "WaveRecord",
    "WaveSettings",
    "WordsReaderSettings",
    "build_reader",
    "calibration_points",
    "choose_step_weights",
    "count_step_notions",
    "draw_audit",
    "fill_batch",
    "load_signals",
    "run_episode",
    "step_metrics",
    "verified_group",
]
