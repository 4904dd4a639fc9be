"""No file of the integrations imports its stack, nor anything heavy, when it is imported."""

import subprocess
import sys
from pathlib import Path

import masa_rewards.integrations
import pytest

FILES = sorted(Path(masa_rewards.integrations.__file__).parent.glob("[!_]*.py"))
STACKS = "trl swift verl openrlhf verifiers slime torch ray vllm transformers datasets accelerate"


@pytest.mark.parametrize("name", [file.stem for file in FILES])
def test_it_imports_no_stack(name):
    check = (
        f"import sys, masa_rewards.integrations.{name}\n"
        f"print(*(set(sys.modules) & set('{STACKS}'.split())))"
    )
    ended = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == []


def test_there_are_files():
    assert {"trl", "ms_swift", "verl", "openrlhf", "verifiers", "slime"} <= {f.stem for f in FILES}
