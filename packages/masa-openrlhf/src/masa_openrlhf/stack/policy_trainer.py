"""OpenRLHF's training loop of a rank, told where an optimiser step ends."""

from __future__ import annotations

from typing import Any

import torch
from openrlhf.trainer.ray.ppo_actor import ActorPPOTrainer

from masa_openrlhf.run.folder import TOLD_TO_END
from masa_openrlhf.stack.length_groups import LengthGroupedBuffer
from masa_openrlhf.stack.stopping import StopWatcher, TrainingStopped


class PolicyTrainer(ActorPPOTrainer):
    """OpenRLHF's, with two things put right, less padding, and an update that can be given up.

    **Every micro-batch counts.** With packing the number of micro-batches of an optimiser step
    varies, and OpenRLHF tells DeepSpeed that each is a step of its own. ZeRO 3 adds them up all the
    same; under ZeRO 1 and 2 each backward pass would replace the gradient of the one before, and
    only the last micro-batch be learned from. So DeepSpeed is told before each which is the last.

    **The loss that is reported is the loss.** OpenRLHF averages the shares that micro-batches have
    in it, so that its figure shrinks with their number. Here the shares are added up:

        loss of a step = sum over ranks and micro-batches of share / (ranks * scale)

    where OpenRLHF multiplied every share by the number of ranks, which DeepSpeed's mean over ranks
    takes back, and without packing by the micro-batches of a step as well (``scale``).

    **Less padding.** Without packing, the micro-batches of an optimiser step are made of sequences
    of similar length: ``LengthGroupedBuffer``.

    **An update is given up** by all ranks together, between two micro-batches, until the first
    optimiser step begins: ``watch_stops``.
    """

    _stops: StopWatcher | None = None  # None: what has begun is finished

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.args.train.dynamic_batch_enable:
            plain: Any = self.replay_buffer
            self.replay_buffer: Any = LengthGroupedBuffer(
                plain.sample_batch_size, plain.limit, plain.cpu_offload, plain.packing_samples
            )

    def watch_stops(self, stops: StopWatcher, step: int) -> None:
        """Give the next update up where the run is told to end in time.

        Args:
            stops: says so.
            step: of which it is the first update.
        """
        self._stops, self._step = stops, step

    def ppo_train(self, kl_ctl: float) -> dict[str, float]:
        """Train on what is in the buffer; the status has the mean loss of the optimiser steps."""
        self._shares: list[torch.Tensor] = []
        self._steps = 0
        self._arrange_micro_batches()
        status: dict[str, float] = super().ppo_train(kl_ctl)
        if self._shares:
            total = self.strategy.all_reduce(float(torch.stack(self._shares).sum()), "sum")
            ranks = torch.distributed.get_world_size()
            status["policy_loss"] = total / (ranks * self._scale * max(self._steps, 1))
        return status

    def _arrange_micro_batches(self) -> None:
        """Group by length what is one optimiser step; several are drawn by OpenRLHF's shuffling."""
        if self.args.train.dynamic_batch_enable:
            return
        size = self.micro_train_batch_size
        if len(self.replay_buffer.items) == size * self._scale:
            self.replay_buffer.group_by_length(size)
        else:
            self.replay_buffer.ungroup(size)

    def training_step(
        self, experience: Any, kl_ctl: float, step: int, loss_batch_info: Any = None
    ) -> dict[str, Any]:
        """Take a micro-batch's forward and backward pass, and the optimiser's step after the last.

        Args:
            experience: the micro-batch.
            kl_ctl: coefficient of a KL loss.
            step: its place among those of ``ppo_train``.
            loss_batch_info: what the loss is divided by; None: the buffer knows.

        Raises:
            TrainingStopped: the run is told to end, and no weight has changed yet.
        """
        ends = self._ends_a_step(step)
        if self._stops is not None:
            self._give_up_if_told(self._stops, last_chance=ends)
        if self.args.train.dynamic_batch_enable:  # else DeepSpeed counts as OpenRLHF does
            self.actor.model.set_gradient_accumulation_boundary(ends)
        status: dict[str, Any] = super().training_step(experience, kl_ctl, step, loss_batch_info)
        self._shares.append(status["metrics"]["policy_loss"].float())
        self._steps += ends
        return status

    def _give_up_if_told(self, stops: StopWatcher, *, last_chance: bool) -> None:
        """Raise on all ranks or on none: they wait for each other in the next micro-batch."""
        first = self.strategy.is_rank_0()
        if self.strategy.all_reduce(float(first and stops.is_told()), "max"):
            raise TrainingStopped(TOLD_TO_END)
        if last_chance:
            self._stops = None
            if first:
                stops.enter("optimiser step", self._step)

    def _ends_a_step(self, step: int) -> bool:
        """Whether the optimiser steps after this micro-batch."""
        if self.args.train.dynamic_batch_enable:
            return bool(self.replay_buffer.dynamic_optimizer_step[step])
        return (step + 1) % self._scale == 0

    @property
    def _scale(self) -> int:
        """What DeepSpeed divides each micro-batch's loss by."""
        if self.args.train.dynamic_batch_enable:
            return 1
        return max(int(self.strategy.accumulated_gradient), 1)
