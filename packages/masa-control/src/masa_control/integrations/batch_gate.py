"""The gate for a stack that makes its rollouts batch by batch: predictions first, solutions after.

No stack is known here. A trainer has the predictions of a batch made, asks `plan` which problems
are rolled out, has those solutions made and judged, and hands all of it to `observe`. Both are
functions of the seed and of what was observed before, so that processes which are shown the same
batches plan alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from masa_rewards import MetaPrediction, MetaPrompt
from masa_rewards.integrations.samples import Kind, MissingSolutionsError

from masa_control.decisions.audited_gate import AuditedGateSettings
from masa_control.decisions.controller import Controller
from masa_control.decisions.cutoff import CutoffOff
from masa_control.decisions.experts import ExpertSettings
from masa_control.decisions.gate import StaticGateSettings
from masa_control.decisions.schedule import AlignedStart, FixedStart
from masa_control.decisions.settings import ControlSettings
from masa_control.decisions.threshold_gate import ThresholdGateSettings
from masa_control.episode.plan import Plan
from masa_control.episode.types import Problem
from masa_control.integrations.batch_episodes import BatchRollout, build_episodes
from masa_control.measures.ledger import Ledger
from masa_control.measures.metrics import step_metrics
from masa_control.state import SavedState

BatchGateSettings = StaticGateSettings | AuditedGateSettings | ThresholdGateSettings
"""The gates that a batch of a fixed size can have."""

_STEP_AREAS = ("gate/", "tokens/")


class BatchRow(NamedTuple):
    """A row of a batch once the predictions are made.

    Attributes:
        kind: "solution" or "meta".
        problem_id: joins the rows of a problem.
        prediction: of a meta row, else None.
    """

    kind: Kind
    problem_id: str
    prediction: MetaPrediction | None


class BatchFigures(NamedTuple):
    """What there is to log after a batch.

    Attributes:
        batch: of this batch: ``gate/*`` and ``tokens/*`` as of `step_metrics`, and what the
            controller says of itself.
        run: since the run began: ``ledger/*``.
    """

    batch: dict[str, float]
    run: dict[str, float]


class _State(SavedState):
    state_of = "batch gate"

    gate: str
    controller: dict[str, Any]
    ledger: dict[str, Any]


class BatchGate:
    """Plans the problems of each batch, and learns from what came of them.

    Args:
        prompt: asked for the predictions.
        gate: which problems are skipped.
        schedule: from which step on.
        seed: of the run; audits are drawn by it, by the step and by the problem's id.

    Raises:
        ValueError: the settings ask for what a batch of a fixed size cannot have.
    """

    def __init__(
        self,
        prompt: MetaPrompt,
        *,
        gate: BatchGateSettings,
        schedule: FixedStart | AlignedStart,
        seed: int = 0,
    ) -> None:
        check_gate_settings(gate, schedule)
        settings = ControlSettings(
            gate=gate, schedule=schedule, cutoff=CutoffOff(), experts=ExpertSettings(batch=0)
        )
        self.settings = settings
        self._controller = Controller(settings, prompt, seed=seed)
        self._ledger = Ledger()

    def decides(self, step: int) -> bool:
        """Whether predictions decide anything in ``step``, which counts from 1."""
        return self._controller.decides(step)

    def plan(self, rows: Sequence[BatchRow], *, step: int, limit: int) -> dict[str, Plan]:
        """Return the plan of each problem of a batch, by its id; none before the start step.

        Args:
            rows: of all processes, in one order for all.
            step: from 1.
            limit: longest solution, tokens.

        Raises:
            MissingSolutionsError: a problem has meta rows in the batch, and no solution row.
        """
        planner = self._controller.planner(step)
        predictions = _collect_predictions(rows)
        if planner is None:
            return {}
        return {name: planner.plan(name, found, limit) for name, found in predictions.items()}

    def observe(
        self,
        rollouts: Sequence[BatchRollout],
        plans: Mapping[str, Plan],
        problems: Mapping[str, Problem],
        *,
        step: int,
    ) -> BatchFigures:
        """Learn from a batch, and return what there is to log.

        Args:
            rollouts: of all processes, in the order of their rows; placeholders of skipped problems
                are left out by it.
            plans: of the batch, as of `plan`.
            problems: by id, of all rollouts.
            step: that the batch was planned in.
        """
        episodes = build_episodes(rollouts, plans, problems)
        self._controller.observe(episodes, step)
        for episode in episodes:
            self._ledger.observe(episode)
        measured = step_metrics(episodes).items()
        figures = {name: value for name, value in measured if name.startswith(_STEP_AREAS)}
        return BatchFigures(figures | self._controller.metrics(), self._ledger.metrics())

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on."""
        return _State(
            gate=self.settings.gate.rule,
            controller=self._controller.state_dict(),
            ledger=self._ledger.state_dict(),
        ).to_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``.

        Raises:
            ValueError: it is not the state of a batch gate with this rule.
        """
        read = _State.from_dict(state)
        rule = self.settings.gate.rule
        if read.gate != rule:
            raise ValueError(
                f"the checkpoint was written with gate.rule = {read.gate!r}, and this run has "
                f"{rule!r}: the rule cannot change within a run; resume with the same, or start a "
                "new run from the checkpoint's weights"
            )
        ledger = Ledger()
        ledger.load_state_dict(read.ledger)
        self._controller.load_state_dict(read.controller)
        self._ledger = ledger


def check_gate_settings(gate: BatchGateSettings, schedule: FixedStart | AlignedStart) -> None:
    """Refuse what a batch of a fixed size cannot have.

    Raises:
        ValueError: names the setting, and what to do instead.
    """
    if not isinstance(gate, StaticGateSettings | AuditedGateSettings | ThresholdGateSettings):
        raise ValueError(
            f"gate.rule = {getattr(gate, 'rule', gate)!r} is not to be had here: take static, "
            "audited or threshold (StaticGateSettings, AuditedGateSettings, "
            "ThresholdGateSettings); to skip nothing, train without the gate"
        )
    if gate.refill:
        raise ValueError(
            "gate.refill = True draws further problems in the places of skipped ones, and the "
            "batch of this stack is drawn before anything is skipped: leave refill at False, or "
            "train with masa-openrlhf"
        )
    for name in ("meta_weight", "clone_weight"):
        if (weight := getattr(schedule, name)) is not None:
            raise ValueError(
                f"schedule.{name} = {weight!r} weighs a part of masa-openrlhf's loss, and this "
                f"stack's loss has no such part: leave schedule.{name} unset"
            )


def _collect_predictions(rows: Sequence[BatchRow]) -> dict[str, list[MetaPrediction]]:
    """The predictions of each problem, in the order in which the problems occur."""
    found: dict[str, list[MetaPrediction]] = {}
    for row in rows:
        predictions = found.setdefault(row.problem_id, [])
        if row.prediction is not None:
            predictions.append(row.prediction)
    solved = {row.problem_id for row in rows if row.kind == "solution"}
    if missing := [name for name in found if name not in solved]:
        raise MissingSolutionsError(
            f"problem {missing[0]!r} has meta rows and no solution row in this batch: put both "
            "prompts of a problem into one batch, under one problem id"
        )
    return found
