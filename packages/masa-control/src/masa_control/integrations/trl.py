"""The gate in TRL: a `GRPOTrainer` that makes the predictions first. Written for TRL 1.16.

TRL makes all rollouts of a batch at once. `GatedGRPOTrainer` makes the meta rollouts first, plans
each problem by them, and makes solutions of those alone that are worth it. A skipped problem keeps
its rows: its solutions are one token each, and none of its rows is in the loss, has a reward, or
counts in a group. See docs/guides/stacks/trl_gate.md.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from accelerate.utils import gather_object
from masa_rewards.integrations.batch_reward import SKIPPED, to_samples
from masa_rewards.integrations.samples import MissingSolutionsError, Sample
from masa_rewards.integrations.trl import MasaReward
from trl import GRPOTrainer
from trl import __version__ as trl_version

from masa_control.decisions.gate import StaticGateSettings
from masa_control.decisions.schedule import AlignedStart, FixedStart
from masa_control.episode.plan import Plan
from masa_control.episode.types import Problem
from masa_control.integrations.batch_episodes import BatchRollout
from masa_control.integrations.batch_gate import (
    BatchFigures,
    BatchGate,
    BatchGateSettings,
    BatchRow,
    check_gate_settings,
)
from masa_control.integrations.trl_contract import check_methods
from masa_control.integrations.trl_phases import Generated, PhasedGenerator, join_phases
from masa_control.integrations.trl_refusals import check_arguments, check_fields, find_reward

STATE_FILE = "masa_control.json"
"""What a checkpoint holds of the gate."""

PAPER_GATE, PAPER_START = StaticGateSettings(), FixedStart()

_NO_LIMIT = 2**31 - 1


@dataclass
class _Batch:
    """A generation batch: its rows in this process and in all, and what is done with them."""

    step: int
    own: list[Sample]
    plans: dict[str, Plan] = field(default_factory=dict)
    everywhere: list[str] = field(default_factory=list)

    def skips(self, problem_id: str) -> bool:
        plan = self.plans.get(problem_id)
        return plan is not None and not plan.solve

    @property
    def own_skipped(self) -> list[bool]:
        return [self.skips(sample.problem_id) for sample in self.own]

    @property
    def all_skipped(self) -> list[int]:
        """Positions among the rows of all processes."""
        return [row for row, name in enumerate(self.everywhere) if self.skips(name)]

    @property
    def share_left(self) -> float:
        """Share of all rows that are trained on; 1 where there is none, as nothing is weighed."""
        left = len(self.everywhere) - len(self.all_skipped)
        return left / len(self.everywhere) if left else 1.0


class GatedGRPOTrainer(GRPOTrainer):
    """TRL's trainer with a gate: no solution is made of a problem whose predictions say enough.

    Rows are those of `paired_rows`, and one reward function is a `MasaReward`, whose meta prompt
    reads the predictions. In evaluation nothing is skipped. The loss weighs what is left as it
    would without a gate: skipped rows count in it as groups without variance do.

    Args:
        args: as of `GRPOTrainer`.
        gate: which problems are skipped, and which share of them is rolled out all the same.
        schedule: from which optimiser step on; the steps before are TRL's.
        kwargs: as of `GRPOTrainer`.

    Raises:
        ValueError: a setting of TRL's or of the gate that the gate cannot be had with; before a
            model is loaded.
        RuntimeError: another version of TRL, whose methods are not those that are overridden.
    """

    _last_loaded_step: int

    def __init__(
        self,
        *args: Any,
        gate: BatchGateSettings = PAPER_GATE,
        schedule: FixedStart | AlignedStart = PAPER_START,
        **kwargs: Any,
    ) -> None:
        check_methods(GRPOTrainer, trl_version)
        check_gate_settings(gate, schedule)
        check_arguments(GRPOTrainer, args, kwargs)
        super().__init__(*args, **kwargs)
        self._masa_reward: MasaReward = find_reward(self.reward_funcs)
        self._masa_gate = BatchGate(
            self._masa_reward.prompt, gate=gate, schedule=schedule, seed=self.args.seed
        )
        self._masa_batch = _Batch(0, [])

    # -- a generation batch ------------------------------------------------------------------------

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        training = self.model.training
        if training:
            columns = {name: [row[name] for row in inputs] for name in inputs[0]}
            samples = to_samples([""] * len(inputs), [0] * len(inputs), columns)
            self._masa_batch = _Batch(self.state.global_step + 1, samples)
        output: dict[str, Any] = super()._generate_and_score_completions(inputs)
        if training:
            # Losses that divide by tokens: by as many as there would be if what was skipped were
            # like the rest. Those that divide by rows count skipped ones already.
            output["num_items_in_batch"] = (
                output["num_items_in_batch"] / self._masa_batch.share_left
            )
        return output

    def _generate(self, prompts: list[Any]) -> tuple[Any, ...]:
        made: tuple[Any, ...] = super()._generate(prompts)
        if not self.model.training:
            return made
        prompt_ids, token_ids, _, completions, logprobs, extra, images, tool_images = made
        skipped = self._masa_batch.own_skipped
        mask = [
            [int(not is_skipped)] * len(ids)
            for ids, is_skipped in zip(token_ids, skipped, strict=True)
        ]
        extra = {**extra, SKIPPED: skipped}
        return prompt_ids, token_ids, mask, completions, logprobs, extra, images, tool_images

    def _generate_single_turn(
        self,
        prompt_ids: list[list[int]],
        images: Any,
        multimodal_fields: Mapping[str, Any],
        num_generations: int,
        has_tool_images: bool = False,
    ) -> tuple[Any, Any]:
        generate = super()._generate_single_turn
        if not self.model.training:
            made: tuple[Any, Any] = generate(
                prompt_ids, images, multimodal_fields, num_generations, has_tool_images
            )
            return made
        check_fields(images, multimodal_fields, len(prompt_ids))
        self._sync_weights()
        generator = PhasedGenerator(self, generate, prompt_ids, multimodal_fields, num_generations)
        if self._masa_gate.decides(self._masa_batch.step):
            return self._generate_in_phases(generator)
        self._plan([None] * len(prompt_ids))
        return generator.run(range(len(prompt_ids)))

    def _generate_in_phases(self, generator: PhasedGenerator) -> Generated:
        own = self._masa_batch.own
        metas = [row for row, sample in enumerate(own) if sample.kind == "meta"]
        asked = generator.run(metas)
        texts: list[str | None] = [None] * len(own)
        for row, ids in zip(metas, asked.token_ids, strict=True):
            texts[row] = self.processing_class.decode(ids, skip_special_tokens=True)
        self._plan(texts)
        skipped = self._masa_batch.own_skipped
        solved = [
            row for row, sample in enumerate(own) if sample.kind != "meta" and not skipped[row]
        ]
        made = generator.run(solved)
        return join_phases(len(own), [(metas, asked), (solved, made)], self.eos_token_ids[0])

    def _sync_weights(self) -> None:
        """As TRL does before it generates; by all processes together, whatever rows they have."""
        if self.use_vllm and self.state.global_step != self._last_loaded_step:
            self.vllm_generation.sync_weights()
            self._last_loaded_step = self.state.global_step

    def _plan(self, texts: list[str | None]) -> None:
        """Plan the batch by the predictions of all processes.

        Args:
            texts: of the rows of this process; None for one that predicts nothing.
        """
        batch, prompt = self._masa_batch, self._masa_reward.prompt
        rows: list[BatchRow] = gather_object(
            [
                BatchRow(s.kind, s.problem_id, None if text is None else prompt.parse(text))
                for s, text in zip(batch.own, texts, strict=True)
            ]
        )
        batch.everywhere = [row.problem_id for row in rows]
        limit = self.max_completion_length or _NO_LIMIT
        try:
            batch.plans = self._masa_gate.plan(rows, step=batch.step, limit=limit)
        except MissingSolutionsError as error:
            raise MissingSolutionsError(f"{error}. {MasaReward.advice}") from error

    # -- its rewards -------------------------------------------------------------------------------

    def _calculate_rewards(
        self, inputs: Any, prompts: Any, completions: Any, completion_ids_list: list[list[int]]
    ) -> Any:
        with _hide_skipped_rows():
            rewards = super()._calculate_rewards(inputs, prompts, completions, completion_ids_list)
        if self.model.training:
            # Whatever other reward functions say of a placeholder.
            if skipped := self._masa_batch.all_skipped:
                rewards[skipped] = float("nan")
            self._observe(completion_ids_list)
        return rewards

    def _observe(self, token_ids: list[list[int]]) -> None:
        batch = self._masa_batch
        ends = {*self.eos_token_ids, self._tokenizer.pad_token_id}
        rollouts = gather_object(
            [
                BatchRollout(s.kind, s.problem_id, len(ids), ids[-1] not in ends, result)
                for s, ids, result in zip(
                    batch.own, token_ids, self._masa_reward.last_results, strict=True
                )
            ]
        )
        own = {s.problem_id: (s.problem, s.gold) for s in batch.own}
        problems = {
            name: Problem(id=name, text=text, answer=answer)
            for part in gather_object([own])
            for name, (text, answer) in part.items()
        }
        self._log_figures(self._masa_gate.observe(rollouts, batch.plans, problems, step=batch.step))

    def _log_figures(self, figures: BatchFigures) -> None:
        """TRL logs the mean of what was appended since it last did."""
        for name, value in figures.batch.items():
            self._metrics["train"][name].append(value)
        for name, value in figures.run.items():
            self._metrics["train"][name] = [value]

    # -- its checkpoints ---------------------------------------------------------------------------

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        super()._save_checkpoint(model, trial)
        if self.args.should_save:
            folder = Path(self._get_output_dir(trial=trial))
            path = folder / f"checkpoint-{self.state.global_step}" / STATE_FILE
            path.write_text(json.dumps(self._masa_gate.state_dict()), encoding="utf-8")

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        super()._load_optimizer_and_scheduler(checkpoint)
        if checkpoint is None:
            return
        path = Path(checkpoint) / STATE_FILE
        if not path.exists():
            raise ValueError(
                f"{checkpoint} holds no {STATE_FILE}, so it was not written with a gate: go on "
                "with GRPOTrainer, or start a gated run from its weights (model=...)"
            )
        self._masa_gate.load_state_dict(json.loads(path.read_text(encoding="utf-8")))


@contextmanager
def _hide_skipped_rows() -> Iterator[None]:
    """Hide TRL's warning of rows without a reward: `MasaReward` gives one to all but skipped ones.

    TRL would write the whole row, in every step.
    """

    def is_other(record: logging.LogRecord) -> bool:
        return "All reward functions returned None" not in record.getMessage()

    logger = logging.getLogger(GRPOTrainer.__module__)
    logger.addFilter(is_other)
    try:
        yield
    finally:
        logger.removeFilter(is_other)
