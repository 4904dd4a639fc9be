"""Does another process on the same card read a tensor by its handle, without a copy over the host?

So weights go from the policy to the engine where both share a card.
"""

from __future__ import annotations

from multiprocessing.connection import Connection
from typing import Any

from masa_benchmarks.gpu.step import StepRecord, run_script


def _answer_handles(pipe: Connection, device: str) -> None:
    """The other process: takes handles, answers with a sum of what it sees."""
    while (handle := pipe.recv()) is not None:
        function, arguments = handle
        arguments = list(arguments)
        if device == "cuda":
            arguments[6] = 0  # the card, as this process counts them
        seen = function(*arguments)
        kept = seen.detach().clone()
        del seen
        pipe.send((float(kept.double().sum()), float(kept.double().abs().sum())))


def check_ipc(found: StepRecord) -> None:
    """Handles of ten tensors, one at a time, as OpenRLHF sends a parameter."""
    import torch
    import torch.multiprocessing as processes
    from torch.multiprocessing.reductions import reduce_tensor

    size = 1000 if found.small else 64 * 2**20
    context = processes.get_context("spawn")
    here, there = context.Pipe()
    other = context.Process(target=_answer_handles, args=(there, found.device), daemon=True)
    other.start()
    torch.manual_seed(0)
    agree = []
    with found.timed("ten tensors, the process's start included, s"):
        for _ in range(10):
            weight: Any = torch.randn(size, device=found.device, dtype=torch.bfloat16)
            if found.device == "cpu":
                weight.share_memory_()
            here.send(reduce_tensor(weight))
            wide = weight.double()
            mine = (float(wide.sum()), float(wide.abs().sum()))
            agree.append(here.recv() == mine)
    here.send(None)
    other.join(30)
    found.figure("MiB a tensor", 2 * size / 2**20)
    found.check("the other process sees the same weights", all(agree))


if __name__ == "__main__":
    run_script(check_ipc)
