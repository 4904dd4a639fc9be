"""A run on one machine listens on the loopback interface alone, and takes nobody's orders.

Ray, torch's stores, gloo and NCCL listen on every interface unless they are told otherwise, and
whoever reaches a Ray cluster runs commands on it as its user. Two walls, each enough by itself
against another machine:

- **Addresses.** Ray has a switch that keeps it to the loopback interface (made for machines whose
  firewall asks about each listener); everything else takes its address from Ray or from a variable.
  torch's ``TCPStore`` takes neither: its server is handed a socket that is bound already.
- **A token.** Ray refuses every call that does not carry it: a job, a read of its tables, a worker
  that wants to join. It is made anew for each run and lies in a file that only its user may read.
  This wall also holds against other users of the same machine.

Runs that join a cluster (``RAY_ADDRESS``) cannot choose its addresses: see ``nodes.ray_cluster``.
"""

from __future__ import annotations

import errno
import os
import secrets
import socket
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

ADDRESS = "127.0.0.1"
LOOPBACK_VARIABLE = "MASA_OPENRLHF_LOOPBACK"
_TOKEN_FILE = "ray-token"


def list_loopback_variables() -> dict[str, str]:
    """Return the variables that keep torch, vLLM, gloo and NCCL to the loopback interface."""
    return {
        LOOPBACK_VARIABLE: "1",
        "VLLM_HOST_IP": ADDRESS,
        # Over what a user may have set for runs on several machines.
        "GLOO_SOCKET_IFNAME": "lo",
        "NCCL_SOCKET_IFNAME": "lo",
    }


def prepare_run_variables(private: Path) -> dict[str, str]:
    """Return the variables of a run on one machine, and write its token.

    Its processes must be started with them: Ray reads some as soon as it is imported.

    Args:
        private: a folder that only this user may enter; gets the token.
    """
    token = private / _TOKEN_FILE
    with open(os.open(token, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(secrets.token_hex(32))
    return {
        **list_loopback_variables(),
        # Ray's own name for "do not reach beyond this machine", whatever system it is.
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token),
    }


def is_active() -> bool:
    """Whether this process belongs to a run that keeps to the loopback interface."""
    return os.environ.get(LOOPBACK_VARIABLE) == "1"


def bind_stores() -> None:
    """Have torch's store servers of this process listen on the loopback interface.

    Does nothing outside a run on one machine, and nothing the second time.
    """
    if not is_active():
        return
    import torch.distributed as dist

    # Not "from torch.distributed import rendezvous": that is a function of the same name.
    rendezvous: Any = import_module("torch.distributed.rendezvous")
    dist.TCPStore = rendezvous.TCPStore = _make_store_class()


_store_class: Any = None


def _make_store_class() -> Any:
    """Return the class that stands for ``torch.distributed.TCPStore``."""
    global _store_class
    if _store_class is None:
        import torch.distributed as dist

        class LoopbackTCPStore(dist.TCPStore):
            """A ``TCPStore`` whose server listens where its clients look for it, and only there."""

            def __init__(
                self,
                host_name: str,
                port: int = 0,
                world_size: int | None = None,
                is_master: bool = False,
                timeout: timedelta = timedelta(seconds=300),
                wait_for_workers: bool = True,
                multi_tenant: bool = False,
                master_listen_fd: int | None = None,
                use_libuv: bool = True,
            ) -> None:
                if is_master and master_listen_fd is None:
                    master_listen_fd = _open_socket(host_name, port)
                super().__init__(
                    host_name,
                    port,
                    world_size,
                    is_master,
                    timeout,
                    wait_for_workers,
                    multi_tenant,
                    master_listen_fd,
                    use_libuv,
                )

        _store_class = LoopbackTCPStore
    return _store_class


def _open_socket(host: str, port: int) -> int | None:
    """Return a socket that listens at ``host``; None where this process has the port already.

    A store with ``multi_tenant`` shares the server that is there.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((ADDRESS if host == "localhost" else host, port))
        listener.listen(2048)
        return listener.detach()
    except OSError as error:
        listener.close()
        if error.errno != errno.EADDRINUSE:
            raise
        return None
