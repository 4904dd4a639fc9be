"""A private gloo group that carries weights from the policy to vLLM."""

from __future__ import annotations

import socket
from datetime import timedelta
from typing import Any

_TIMEOUT = timedelta(minutes=5)


class GlooBroadcast:
    """What OpenRLHF calls of vLLM's NCCL communicator, over gloo.

    Args:
        address: host of rank 0.
        port: a free port there.
        rank: 0 is the policy's first rank, 1.. the engines.
        world_size: the engines and 1.
    """

    def __init__(self, address: str, port: int, rank: int, world_size: int) -> None:
        import torch.distributed as dist

        self._store = dist.TCPStore(address, port, world_size, rank == 0, timeout=_TIMEOUT)
        options = dist.ProcessGroupGloo._Options()
        options._timeout = _TIMEOUT
        own = _find_own_address(address, port)
        options._devices = [dist.ProcessGroupGloo.create_device(hostname=own)]
        prefixed = dist.PrefixStore("masa_weights", self._store)
        self._group = dist.ProcessGroupGloo(prefixed, rank, world_size, options)

    def broadcast(self, tensor: Any, src: int = 0, stream: Any = None) -> None:
        """Send ``tensor`` from rank ``src``, or receive into it; any shape, contiguous."""
        import torch
        import torch.distributed as dist

        if not tensor.is_contiguous():
            raise ValueError(f"a weight of strides {tensor.stride()} cannot be sent as one piece")
        options = dist.BroadcastOptions()
        options.rootRank, options.rootTensor = src, 0
        # Bytes: gloo does not know every dtype.
        self._group.broadcast([tensor.detach().reshape(-1).view(torch.uint8)], options).wait()


def _find_own_address(address: str, port: int) -> str:
    """Return the address of this machine from which ``address`` is reached; nothing is sent."""
    family, kind, protocol, _, target = socket.getaddrinfo(address, port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.connect(target)
        return str(probe.getsockname()[0])
