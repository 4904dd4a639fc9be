"""Generation for some of a batch's rows at a time, with TRL's own generation, on all processes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from accelerate.utils import broadcast_object_list, gather_object

TokenIds = list[list[int]]


class Generated(NamedTuple):
    """Completions of N rows.

    Attributes:
        token_ids: N completions.
        logprobs: as long, of their tokens as the engine sampled them; None where it says nothing.
    """

    token_ids: TokenIds
    logprobs: list[list[float]] | None


class PhasedGenerator:
    """Generates for some rows of a batch; each call is collective, with any rows in any process.

    TRL's methods generate for all rows of all processes at once: a vLLM server hands each process
    as many completions as it gave prompts, and parameters that are spread over processes (ZeRO-3,
    FSDP) are gathered while all of them generate.

    Args:
        trainer: TRL's.
        generate: its `_generate_single_turn`, before it was overridden.
        prompt_ids: tokens of the N prompts of this process.
        fields: what else the tokenizer gave, a list of N values each.
        num_generations: rollouts of a prompt, which stand next to one another.
    """

    def __init__(
        self,
        trainer: Any,
        generate: Callable[..., Any],
        prompt_ids: TokenIds,
        fields: Mapping[str, Sequence[Any]],
        num_generations: int,
    ) -> None:
        self._generate, self._prompt_ids, self._fields = generate, prompt_ids, fields
        self._num_generations = num_generations
        self._processes, self._rank = (
            trainer.accelerator.num_processes,
            trainer.accelerator.process_index,
        )
        self._served = bool(trainer.use_vllm) and trainer.vllm_mode == "server"

    def run(self, rows: Sequence[int]) -> Generated:
        """Generate for rows of this process, while the others do for theirs.

        Args:
            rows: which of the N prompts; all rollouts of a prompt, on whichever processes, or none.
        """
        counts = gather_object([len(rows)])
        if not sum(counts):
            return Generated([], None)
        if self._served:
            return self._run_on_server(rows, counts)
        if rows:
            return self._call(rows)
        # The parameters may be gathered by all processes together: one that has nothing to generate
        # takes part, and throws away what it made.
        self._call([0])
        return Generated([], None)

    def _call(self, rows: Sequence[int]) -> Generated:
        prompts = [self._prompt_ids[row] for row in rows]
        fields = {name: [values[row] for row in rows] for name, values in self._fields.items()}
        return Generated(*self._generate(prompts, None, fields, self._num_generations))

    def _run_on_server(self, rows: Sequence[int], counts: Sequence[int]) -> Generated:
        """The main process hands in the prompts of all, and hands out what the server made.

        TRL gives each process a slice as long as its own list of prompts, beginning at its rank
        times that length: right where all lists are equally long. Here the main process has them
        all, and the others have none.
        """
        prompts = gather_object([self._prompt_ids[row] for row in rows])
        made = self._generate(prompts if self._rank == 0 else [], None, {}, self._num_generations)
        carried = [made]
        broadcast_object_list(carried, from_process=0)
        token_ids, logprobs = carried[0]
        begin = sum(counts[: self._rank])
        own = slice(begin, begin + len(rows))
        return Generated(token_ids[own], None if logprobs is None else logprobs[own])


def join_phases(
    number: int, phases: Sequence[tuple[Sequence[int], Generated]], filler: int
) -> Generated:
    """Put the completions of several phases into the order of their rows.

    Args:
        number: N, rows of this process.
        phases: the rows of each phase, and their completions.
        filler: the token that stands for the completion of a row of no phase.

    Returns:
        N completions, with log-probabilities where a phase has them; 0 for a filler.
    """
    token_ids: TokenIds = [[filler] for _ in range(number)]
    logprobs = [[0.0] for _ in range(number)]
    known = False
    for rows, made in phases:
        for position, row in enumerate(rows):
            token_ids[row] = made.token_ids[position]
            if made.logprobs is not None:
                known, logprobs[row] = True, made.logprobs[position]
    return Generated(token_ids, logprobs if known else None)
