"""Which settings of what decides go together: refusals that name the value and the way out."""

from __future__ import annotations

from typing import Literal, Protocol

from masa_control import (
    AllocationSettings,
    AuditedGateSettings,
    CutoffOff,
    CutoffSettings,
    DistributionReaderSettings,
    ExpertSettings,
    GateSettings,
    HintSettings,
    HintsOff,
    MetaSettings,
    ReaderSettings,
    SolutionSettings,
    WaveSettings,
)
from masa_control.readers.build import find_reader_needs
from masa_control.readers.distribution import require_single_digits


class ControlledRun(Protocol):
    """The settings of a run that are looked at here."""

    mode: Literal["masa", "masa-efficient", "grpo"]
    meta: MetaSettings
    solution: SolutionSettings
    reader: ReaderSettings
    gate: GateSettings
    allocation: AllocationSettings
    cutoff: CutoffSettings
    experts: ExpertSettings
    hints: HintSettings


def allows_few_predictions(run: ControlledRun) -> bool:
    """Whether a run may have fewer than two predictions a problem.

    None at all where another reader decides, and nothing else needs them. A single one where its
    distribution is read: it has no group to take an advantage in, and is cloned alone.
    """
    if run.mode != "masa-efficient":
        return False
    if run.meta.rollouts == 1:
        return isinstance(run.reader, DistributionReaderSettings)
    return find_reader_needs(run.reader) != "predictions"


def check_control(run: ControlledRun) -> None:
    """Refuse settings by which something would decide nothing.

    Raises:
        ValueError: names them, and what to set instead.
    """
    if isinstance(run.reader, DistributionReaderSettings):
        require_single_digits(run.meta.prompt.scale)
    if not run.meta.rollouts:
        _check_without_predictions(run)
    waves = run.allocation
    if isinstance(waves, WaveSettings) and waves.waves[0] >= run.solution.rollouts:
        raise ValueError(
            f"allocation.waves begins with {waves.waves[0]} rollouts, and a group of "
            f"solution.rollouts = {run.solution.rollouts} is whole then: begin with fewer, or set "
            "allocation.rule = off"
        )
    if isinstance(waves, WaveSettings) and isinstance(run.gate, AuditedGateSettings):
        _check_wave_audits(waves)


def _check_without_predictions(run: ControlledRun) -> None:
    """Refuse what decides by predictions where there are none."""
    needing = {
        f"cutoff.rule = {run.cutoff.rule} (set cutoff.rule = off)": not isinstance(
            run.cutoff, CutoffOff
        ),
        f"experts.batch = {run.experts.batch} (set experts.batch = 0)": run.experts.batch > 0,
        f"hints.rule = {run.hints.rule} (set hints.rule = off)": not isinstance(
            run.hints, HintsOff
        ),
        f"meta.signals = {list(run.meta.signals)} (leave them out)": bool(run.meta.signals),
    }
    found = [what for what, needs in needing.items() if needs]
    if found:
        raise ValueError(
            f"meta.rollouts is 0, so no prediction is made, and these need predictions: "
            f"{'; '.join(found)}"
        )


def _check_wave_audits(waves: WaveSettings) -> None:
    if not waves.audit:
        raise ValueError(
            "the audited gate learns of whole groups, and with allocation.audit = 0 it would see "
            "those alone that were not stopped: set a share, as 0.05"
        )
