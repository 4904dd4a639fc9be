"""Which variables of this process a run takes to all nodes of a Ray cluster.

Ray's workers have the environment that Ray was started with on their node. What the user sets where
the run is started would stay there, so a job names variables that its workers get in any case.

Ray writes those into its tables, into the logs of every node, and for a moment on command lines.
So no secret is among them: a secret goes to our own actors, in memory, and into their environment
(``collect_secrets``). What one node alone can know, as its address, is not sent either.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from masa_openrlhf.run.wandb_login import Secret

SENT = (
    "HF_*",
    "TRANSFORMERS_*",
    "MASA_CACHE",
    "WANDB_*",
    "VLLM_*",
    "NCCL_*",
    "TORCH_NCCL_*",
    "GLOO_SOCKET_IFNAME",
    "TP_SOCKET_IFNAME",
    "UCX_*",
    "FI_*",
    "CUDA_HOME",
    "CUDA_DEVICE_MAX_CONNECTIONS",
    "PYTORCH_ALLOC_CONF",
    "PYTORCH_CUDA_ALLOC_CONF",
    "PYTHONHASHSEED",
    "OMP_NUM_THREADS",
    "TOKENIZERS_PARALLELISM",
)
"""Names, and beginnings of names. NCCL, UCX and FI (libfabric): how nodes reach each other."""

OWN = (
    "VLLM_HOST_IP",
    "VLLM_PORT",
    "VLLM_RAY_*",
    "VLLM_DP_*",
    "NCCL_HOSTID",
)
"""Of those, what differs from node to node or from process to process."""

SECRETS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
"""Needed by whoever loads a model from the hub."""

_SECRET_WORDS = {"TOKEN", "KEY", "APIKEY", "SECRET", "PASSWORD", "PASSWD", "CREDENTIALS", "AUTH"}
_NO_SECRETS = ("HF_TOKEN_PATH", "HF_HUB_DISABLE_IMPLICIT_TOKEN", "WANDB_DISABLE_CODE")


class VariableError(ValueError):
    """A variable is to be sent that must not be."""


def collect_variables(
    environment: Mapping[str, str], *, more: Iterable[str] = (), kept: Iterable[str] = ()
) -> dict[str, str]:
    """Return the variables that go to all nodes, of those that are set.

    Args:
        environment: of this process.
        more: further ones (``cluster.send_variables``): a name, the beginning of names as
            ``MY_*``, or ``NAME=VALUE``.
        kept: names, or beginnings of names, that every node has its own of
            (``cluster.keep_variables``).

    Raises:
        VariableError: ``more`` names a secret.
    """
    more = tuple(more)
    given = dict(one.split("=", 1) for one in more if "=" in one)
    asked = [one for one in more if "=" not in one]
    _refuse_secrets([*given, *(name for name in asked if not name.endswith("*"))])
    kept = (*OWN, *kept)
    found = {
        name: value
        for name, value in environment.items()
        if _matches_any(name, (*SENT, *asked))
        and not _matches_any(name, kept)
        and not is_secret_name(name)
    }
    return found | given


def is_secret_name(name: str) -> bool:
    """Whether a variable of this name may hold a secret: one of its words is TOKEN, KEY, ..."""
    return name not in _NO_SECRETS and not _SECRET_WORDS.isdisjoint(name.upper().split("_"))


def collect_secrets(environment: Mapping[str, str]) -> dict[str, Secret]:
    """Return the secrets that our actors on all nodes need, of those that are set."""
    return {name: Secret(environment[name]) for name in SECRETS if environment.get(name)}


def export_secrets(secrets: Mapping[str, Secret]) -> None:
    """Put secrets into the environment of this process, and of what it starts."""
    os.environ.update({name: secret.reveal() for name, secret in secrets.items()})


def _matches_any(name: str, patterns: Iterable[str]) -> bool:
    return any(
        name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
        for pattern in patterns
    )


def _refuse_secrets(names: Iterable[str]) -> None:
    for name in names:
        if is_secret_name(name):
            raise VariableError(
                f"cluster.send_variables names {name!r}, which by its name is a secret, and Ray "
                "shows the variables of a job in its logs and command lines: set it where Ray is "
                f"started on every node. {' and '.join(SECRETS)} reach all nodes by themselves"
            )
