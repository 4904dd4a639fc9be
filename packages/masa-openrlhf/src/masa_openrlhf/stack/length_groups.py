"""A replay buffer whose micro-batches hold sequences of similar length.

Without packing each micro-batch is padded to its longest sequence. Predictions have long prompts
and short answers, solutions the reverse: mixed at random, a third to a half of what is computed is
padding.
"""

from __future__ import annotations

from typing import Any

from openrlhf.trainer.ppo_utils.replay_buffer import NaiveReplayBuffer


class LengthGroupedBuffer(NaiveReplayBuffer):
    """OpenRLHF's buffer; grouped, an item is a micro-batch.

    Grouping is for a buffer that is one optimiser step: its gradient is a sum over all sequences,
    in whatever order they come. Where a buffer is several steps, OpenRLHF's shuffling decides which
    sequence is in which, and is left alone.
    """

    _micro_batches: list[list[Any]] | None = None

    def group_by_length(self, size: int) -> None:
        """Form micro-batches, from short to long.

        Args:
            size: sequences of a micro-batch; the number of all must be a multiple.
        """
        if len(self.items) % size:
            raise ValueError(f"{len(self.items)} sequences do not fill micro-batches of {size}")
        ordered = sorted(self.items, key=lambda one: int(one.total_length))
        self._micro_batches = [
            ordered[start : start + size] for start in range(0, len(ordered), size)
        ]
        self.sample_batch_size = 1

    def ungroup(self, size: int) -> None:
        """Go back to single sequences, of which the loader makes micro-batches of ``size``."""
        self._micro_batches = None
        self.sample_batch_size = size

    def __len__(self) -> int:
        return super().__len__() if self._micro_batches is None else len(self._micro_batches)

    def __getitem__(self, idx: int) -> Any:
        return super().__getitem__(idx) if self._micro_batches is None else self._micro_batches[idx]

    def collate_fn(self, batch: Any) -> Any:
        """Pad a micro-batch."""
        return super().collate_fn(batch if self._micro_batches is None else batch[0])
