"""What is decided in a run, and by which rules: one tree of settings."""

from __future__ import annotations

from typing import Annotated

from pydantic import Tag

from masa_control.decisions.allocation import AllocationOff, AllocationSettings
from masa_control.decisions.audited_gate import AuditedGateSettings
from masa_control.decisions.choice import ChoiceSettings
from masa_control.decisions.cutoff import CalibratedCutoffSettings, CutoffOff, FixedCutoffSettings
from masa_control.decisions.experts import ExpertSettings
from masa_control.decisions.gate import GateOff, StaticGateSettings
from masa_control.decisions.hints import HintsOff, PredictedHints, RecordedHints
from masa_control.decisions.schedule import AlignedStart, FixedStart
from masa_control.decisions.threshold_gate import ThresholdGateSettings
from masa_control.readers.settings import ReaderSettings, SampledReaderSettings
from masa_control.settings import Settings, discriminate_by_rule

GateSettings = Annotated[
    Annotated[StaticGateSettings, Tag("static")]
    | Annotated[AuditedGateSettings, Tag("audited")]
    | Annotated[ThresholdGateSettings, Tag("threshold")]
    | Annotated[ChoiceSettings, Tag("choice")]
    | Annotated[GateOff, Tag("off")],
    discriminate_by_rule("static"),
]
CutoffSettings = Annotated[
    Annotated[FixedCutoffSettings, Tag("fixed")]
    | Annotated[CalibratedCutoffSettings, Tag("calibrated")]
    | Annotated[CutoffOff, Tag("off")],
    discriminate_by_rule("fixed"),
]
HintSettings = Annotated[
    Annotated[HintsOff, Tag("off")]
    | Annotated[PredictedHints, Tag("predicted")]
    | Annotated[RecordedHints, Tag("recorded")],
    discriminate_by_rule("off"),
]
ScheduleSettings = Annotated[
    Annotated[FixedStart, Tag("fixed")] | Annotated[AlignedStart, Tag("aligned")],
    discriminate_by_rule("fixed"),
]


class ControlSettings(Settings):
    """What predictions decide, and by which rules. The defaults are the paper's, with audits."""

    reader: ReaderSettings = SampledReaderSettings()
    """Who says how likely a problem is to be solved."""
    gate: GateSettings = StaticGateSettings()
    """Which problems are not worth rolling out."""
    allocation: AllocationSettings = AllocationOff()
    """How many solutions a problem gets."""
    cutoff: CutoffSettings = FixedCutoffSettings()
    """When a solution is given up."""
    experts: ExpertSettings = ExpertSettings()
    """Which predictions are cloned, with true numbers."""
    hints: HintSettings = HintsOff()
    """Which predicted notions are put to a problem."""
    schedule: ScheduleSettings = FixedStart()
    """From which step on predictions decide."""
