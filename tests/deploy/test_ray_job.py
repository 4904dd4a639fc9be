"""deploy/ray_job.sh: what it gives to `ray job submit`."""

import json
import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "deploy" / "ray_job.sh"


@pytest.fixture
def submit(tmp_path):
    """Run the script with a `ray` that shows what it is given."""
    (tmp_path / "ray").write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    (tmp_path / "ray").chmod(0o755)
    clean = {k: v for k, v in os.environ.items() if k not in ("MASA", "RUNS")}
    clean["PATH"] = f"{tmp_path}:{os.environ['PATH']}"

    def run(*flags, **variables):
        return subprocess.run(
            ["bash", str(SCRIPT), *flags],
            env=clean | variables,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_a_new_run_is_given_a_folder_and_time_to_end(submit):
    words = submit("--preset", "qwen3-8b", RUNS="/shared/runs").stdout.splitlines()
    at = words.index("--")
    assert words[at + 1 :] == [
        *("masa-openrlhf", "train", "--preset", "qwen3-8b", "--runs", "/shared/runs")
    ]
    environment = json.loads(words[words.index("--runtime-env-json") + 1])
    assert int(environment["env_vars"]["RAY_JOB_STOP_WAIT_TIME_S"]) == 900


def test_one_that_goes_on_has_its_folder(submit):
    words = submit("--resume", "/shared/one").stdout.splitlines()
    assert words[words.index("--") :] == ["--", "masa-openrlhf", "train", "--resume", "/shared/one"]


def test_without_a_folder_nothing_is_submitted(submit):
    done = submit("--preset", "qwen3-8b")
    assert done.returncode != 0
    assert "RUNS" in done.stderr
    assert done.stdout == ""
