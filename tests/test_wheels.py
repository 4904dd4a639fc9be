"""The wheels of masa-rewards and masa-control, alone, on the oldest and the newest Python.

How large the first is and how long it takes to import, with all that it needs:

    pytest tests/test_wheels.py -k "size or import" -s
"""

import json
import os
import shutil
import subprocess
import zipfile
from email.parser import Parser
from pathlib import Path
from typing import NamedTuple

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

# What masa-rewards pulls in, and why. Nothing else comes with it.
NEEDED = {
    "masa-rewards",
    "pydantic",  # types that check themselves
    *("pydantic-core", "annotated-types", "typing-extensions", "typing-inspection"),
    "math-verify",  # answers that take computer algebra
    *("latex2sympy2-extended", "antlr4-python3-runtime", "sympy", "mpmath"),
    "simplemma",  # lemmas of notions
    "ahocorasick-rs",  # all notions in one reading of a text
}
NOT_WITH_OLD_PYDANTIC = {"typing-inspection"}

MOST_MB = 75
# Of an import of masa_rewards, as a multiple of one of pydantic, which it needs: 1.5 to 1.9 here.
MOST_TIMES = 3.0
IMPORT = """
import time
wall, cpu = time.perf_counter(), time.process_time()
import masa_rewards
print(time.perf_counter() - wall, time.process_time() - cpu)
"""
IMPORT_PYDANTIC = """
import time
wall, cpu = time.perf_counter(), time.process_time()
import pydantic
class Model(pydantic.BaseModel):
    field: int
print(time.perf_counter() - wall, time.process_time() - cpu)
"""
# Not those that kill processes or fill memory: they are of the machine, not of the versions.
SLOW = (
    *("test_verification*.py", "test_hostile*.py", "test_score_cli.py"),
    "test_verify_time.py",
)


class Kind(NamedTuple):
    """A Python, and which versions of what the wheel needs are installed beside it."""

    python: str
    resolution: str


LOWEST, HIGHEST = Kind("3.10", "lowest-direct"), Kind("3.13", "highest")


def run(*command, cwd=None):
    ended = subprocess.run(command, capture_output=True, text=True, cwd=cwd)
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


def requirements(wheel):
    """What the wheel asks for itself: to uv, "direct" is only what is stated to it.

    Without its one extra, which reads parquet.
    """
    with zipfile.ZipFile(wheel) as files:
        (metadata,) = [name for name in files.namelist() if name.endswith("/METADATA")]
        stated = Parser().parsestr(files.read(metadata).decode()).get_all("Requires-Dist", [])
    extras = [requirement for requirement in stated if "extra ==" in requirement]
    assert extras == ["pyarrow>=17; extra == 'parquet'"]
    return [requirement for requirement in stated if requirement not in extras]


def install(wheels, kind, where):
    (wheel,) = [path for path in wheels if "masa_rewards" in path]
    interpreter = find(kind.python)
    if interpreter is None:
        pytest.skip(f"there is no Python {kind.python} on this machine")
    run(UV, "venv", "--quiet", "--python", interpreter, str(where))
    own = str(where / "bin" / "python")
    asked = [wheel, *requirements(wheel)]
    resolution = ["--resolution", kind.resolution]
    run(UV, "pip", "install", "--quiet", "--python", own, *resolution, *asked)
    return own


@pytest.fixture(scope="module", params=[LOWEST, HIGHEST], ids=lambda kind: kind.resolution)
def alone(request, wheels, tmp_path_factory):
    where = tmp_path_factory.mktemp("rewards") / "alone"
    return request.param, install(wheels, request.param, where)


def test_it_pulls_in_what_it_needs_and_nothing_else(alone):
    kind, python = alone
    listed = run(UV, "pip", "list", "--quiet", "--format", "json", "--python", python)
    names = {package["name"] for package in json.loads(listed)}
    assert names == NEEDED - (NOT_WITH_OLD_PYDANTIC if kind == LOWEST else set())


def test_size_on_disk(alone):
    kind, python = alone
    (packages,) = Path(python).parents[1].glob("lib/python3*/site-packages")
    files = [path for path in packages.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    size, own = (
        sum(path.stat().st_size for path in some) / 1e6
        for some in (files, [path for path in files if "masa_rewards" in path.parts])
    )
    print(f"\n{kind.resolution}: {size:.1f} MB installed, of which {own:.2f} MB are masa-rewards")
    assert 1 < size < MOST_MB


def test_it_imports_in_a_moment(alone):
    kind, python = alone
    run(python, "-I", "-c", IMPORT)  # writes the bytecode, as an installer may have
    # Of the processor, and beside another import: machines are slow and busy to different degrees.
    own, reference = ([] for _ in range(2))
    for _ in range(7):
        for code, times in ((IMPORT, own), (IMPORT_PYDANTIC, reference)):
            times.append([float(seconds) for seconds in run(python, "-I", "-c", code).split()])
    wall, cpu = (min(column) for column in zip(*own, strict=True))
    pydantic = min(cpu for _, cpu in reference)
    print(
        f"\n{kind.resolution}: import in {wall:.3f} s at best of 7, {cpu:.3f} s of the processor: "
        f"{cpu / pydantic:.2f} times pydantic's {pydantic:.3f} s"
    )
    assert cpu < MOST_TIMES * pydantic, (own, reference)


@pytest.mark.parametrize("kind", [LOWEST, HIGHEST], ids=lambda kind: kind.resolution)
def test_the_unit_tests_pass_with_the_lowest_and_the_highest_versions(wheels, kind, tmp_path):
    python = install(wheels, kind, tmp_path / "tested")
    tools = ["pytest", "pytest-timeout", "hypothesis"]
    run(UV, "pip", "install", "--quiet", "--python", python, *tools)
    parquet = ["--resolution", kind.resolution, "pyarrow>=17"]
    run(UV, "pip", "install", "--quiet", "--python", python, *parquet)
    tests = ROOT / "tests" / "masa_rewards"
    pytest_there = [python, "-I", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    # Hypothesis' own profile for machines that do other things too: no deadline for a case.
    pytest_there += ["-c", str(ROOT / "pyproject.toml"), "--hypothesis-profile", "ci"]
    left_out = [f"--ignore-glob={tests / name}" for name in SLOW]
    assert " passed" in run(*pytest_there, *left_out, str(tests), cwd=tmp_path)
    # Of the slow ones those that tell one version of math-verify from another.
    verdicts = ["-k", "verdicts", str(tests / "test_verification.py")]
    assert " passed" in run(*pytest_there, *verdicts, cwd=tmp_path)
