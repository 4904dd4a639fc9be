r"""Virtual environments for stacks that cannot share the locked one.

`environment("trl")` installs `requirements/trl.txt`, which pins everything, into an environment of
its own and keeps it between runs in `$MASA_CACHE` (else `~/.cache/masa-rewards-tests`), in a folder
named after the file's digest. masa-rewards and masa-control are not installed there: they are read
from this tree, and what they require is pinned with the rest. To pin anew, in `requirements/`:

    uv pip compile --no-header --no-annotate --python-version 3.11 \
        --python-platform x86_64-manylinux_2_28 --no-emit-package masa-rewards \
        trl.in ../../../packages/masa-{rewards,control}/pyproject.toml -o trl.txt
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = Path(__file__).parent / "requirements"
OWN = ("masa-rewards", "masa-control")
UV = os.environ.get("UV") or shutil.which("uv")
CACHE = Path(os.environ.get("MASA_CACHE") or Path.home() / ".cache" / "masa-rewards-tests")

needs_uv = pytest.mark.skipif(UV is None, reason="there is no uv to make an environment with")


class StackEnvironment(NamedTuple):
    """A virtual environment: where it is."""

    path: Path

    def run(self, *arguments, cwd=None, seconds=600, fails=False, **variables):
        """Run a program of the environment (python, torchrun, ...) and return what it printed.

        It fails the test when it ends badly (or well, where `fails`) or takes longer than
        `seconds`; what it started is ended with it. It sees no network of Hugging Face's and no
        GPU, and computes with one thread. `variables` are added to its environment.
        """
        program, *rest = map(str, arguments)
        process = subprocess.Popen(
            [str(self.path / "bin" / program), *rest],
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=_build_variables(self.path)
            | {name: str(value) for name, value in variables.items()},
            start_new_session=True,
        )
        try:
            output, _ = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            _kill_process_group(process)
            output, _ = process.communicate()
            pytest.fail(f"{program} took longer than {seconds} s:\n{output[-10_000:]}")
        finally:
            _kill_process_group(process)
        assert (process.returncode != 0) == fails, output[-10_000:]
        return output


@cache
def make_environment(name, python="3.11"):
    """Make the environment of `requirements/NAME.txt`, or take it from the cache.

    Two that ask for it at a time wait for one another, and one that was interrupted is made anew.

    Raises:
        AssertionError: With what uv said, when it cannot be made.
    """
    wanted = (REQUIREMENTS / f"{name}.txt").read_bytes()
    digest = hashlib.sha256(wanted + python.encode()).hexdigest()[:16]
    path = CACHE / f"{name}-{digest}"
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f"{path.name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (path / "complete").exists():
            _run_uv("venv", "--clear", "--python", _find_interpreter(python), str(path))
            # Nothing is resolved again: what is not pinned is missing, and seen to be.
            own = str(path / "bin" / "python")
            requirements = str(REQUIREMENTS / f"{name}.txt")
            _run_uv("pip", "install", "--no-deps", "--python", own, "-r", requirements)
            (path / "complete").touch()
    return StackEnvironment(path)


def _run_uv(*arguments):
    ended = subprocess.run([UV, "--quiet", *arguments], capture_output=True, text=True)
    assert ended.returncode == 0, f"uv {' '.join(arguments)}:\n{ended.stdout}{ended.stderr}"


def _find_interpreter(python):
    """pyenv's, which uv cannot ask while not chosen; else uv finds one, or brings one."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    return next(map(str, sorted(pyenv.glob(f"{python}.*/bin/python"))), python)


def _build_variables(path):
    """What a program of the environment sees: nothing of the environment the tests run in."""
    taken = ("PYTHON", "VIRTUAL_ENV", "COVERAGE", "PYTEST", "RAY_", "HF_", "CUDA_", "UV_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(taken)}
    return kept | {
        "PATH": f"{path / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "VIRTUAL_ENV": str(path),
        "PYTHONPATH": os.pathsep.join(str(ROOT / "packages" / name / "src") for name in OWN),
        "PYTHONNOUSERSITE": "1",
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "OMP_NUM_THREADS": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }


def _kill_process_group(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
