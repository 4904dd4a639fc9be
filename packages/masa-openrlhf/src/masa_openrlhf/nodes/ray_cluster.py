"""A Ray cluster that somebody else started: does it take orders from anybody who reaches it?

A cluster without a token runs the commands of everybody who can open a connection to it, as the
user who started it. Whether it asks for one is found out by a client that has none.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys

_CLIENT = """
import sys
from ray._raylet import GcsClient
from ray.exceptions import AuthenticationError
try:
    GcsClient(address=sys.argv[1]).internal_kv_keys(b"", namespace=b"", timeout=10)
    print("answered")
except AuthenticationError:
    print("refused")
"""
_PATIENCE = 60.0


class OpenClusterError(ValueError):
    """The cluster takes orders from anybody, or it cannot be told whether it does."""


def is_open_cluster(address: str) -> bool:
    """Return whether a Ray cluster answers a client that has no token.

    Args:
        address: host and port of its head (its GCS).

    Raises:
        OpenClusterError: it cannot be told.
    """
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except OSError as error:  # Ray's client would try for half a minute
        raise OpenClusterError(_explain_unknown(address, str(error))) from None
    stranger = {k: v for k, v in os.environ.items() if not k.startswith("RAY_AUTH_")}
    try:
        asked = subprocess.run(
            [sys.executable, "-c", _CLIENT, address],
            env={**stranger, "RAY_AUTH_MODE": "disabled"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise OpenClusterError(
            _explain_unknown(address, f"no answer in {_PATIENCE:.0f} s")
        ) from None
    said = asked.stdout.split()
    if said[-1:] not in (["answered"], ["refused"]):
        raise OpenClusterError(_explain_unknown(address, asked.stderr.strip()[-300:]))
    return said[-1] == "answered"


def _explain_unknown(address: str, why: str) -> str:
    return (
        f"it cannot be told whether the Ray cluster at {address} asks for a token: {why}. Where "
        "nobody else can reach its ports, --cluster.open-ray goes on without knowing"
    )


def refuse_open_cluster(address: str) -> None:
    """Refuse to train on a cluster that answers strangers.

    Raises:
        OpenClusterError: it does; says how to start one that does not.
    """
    if is_open_cluster(address):
        raise OpenClusterError(
            f"the Ray cluster at {address} runs the commands of anybody who reaches it: it asks "
            "for no token. Start it with one on every node: make it once with `ray "
            "get-auth-token --generate`, copy ~/.ray/auth_token to the others, and set "
            "RAY_AUTH_MODE=token before `ray start` and before this command. Where nobody else "
            "can reach its ports, --cluster.open-ray goes on without"
        )
