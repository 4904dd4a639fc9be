"""The wheels of masa-rewards and masa-control, alone, on the oldest and the newest Python."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
UV = os.environ.get("UV") or shutil.which("uv")

pytestmark = pytest.mark.skipif(UV is None, reason="there is no uv to build wheels with")

USE = """
import sys
from masa_control import Ledger, run_episode
from masa_rewards import AnswerVerifier, MetaPrompt, Rollout, RolloutGroup, meta_reward

prediction = MetaPrompt().parse('{"pass_rate": 8, "solution_length": 200, "math_notion": ["sum"]}')
group = RolloutGroup(problem="2 + 2?", rollouts=(Rollout(text="A sum.", length=200, correct=True),))
assert meta_reward(prediction, group).total == 1.0
with AnswerVerifier() as verifier:
    # One that the fast path decides, one that takes a worker process.
    assert verifier.verify(r"\\boxed{\\frac12}", "0.5").correct
    assert verifier.verify(r"\\boxed{x(x+1)}", "x^2+x").correct
stack = {"torch", "ray", "vllm", "transformers", "openrlhf", "deepspeed"} & set(sys.modules)
assert not stack, stack
print("works")
"""


def run(*command):
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout.strip()


def find(python):
    """An interpreter of that version: pyenv's, which uv cannot ask while not chosen, or any."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for interpreter in sorted(pyenv.glob(f"{python}.*/bin/python")):
        return str(interpreter)
    command = [UV, "python", "find", "--no-python-downloads", "--system", python]
    found = subprocess.run(command, capture_output=True, text=True)
    return None if found.returncode else found.stdout.strip()


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    where = tmp_path_factory.mktemp("wheels")
    for name in ("masa-rewards", "masa-control"):
        run(
            UV, "build", "--quiet", "--wheel", "--package", name, "--out-dir", str(where), str(ROOT)
        )
    return sorted(map(str, where.glob("*.whl")))


@pytest.mark.parametrize("python", ["3.10", "3.13"])
def test_they_work_alone(wheels, tmp_path, python):
    assert len(wheels) == 2
    interpreter = find(python)
    if interpreter is None:
        pytest.skip(f"there is no Python {python} on this machine")
    run(UV, "venv", "--quiet", "--python", interpreter, str(tmp_path / "alone"))
    own = str(tmp_path / "alone" / "bin" / "python")
    run(UV, "pip", "install", "--quiet", "--python", own, *wheels)
    assert run(own, "-I", "-c", USE) == "works"
