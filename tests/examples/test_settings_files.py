"""The files of examples/: what each says it is started with is read, dry, as it stands."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
from masa_openrlhf.command.schema import render_schema

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "examples").glob("*.toml"))

CHOSEN = {
    "laptop": {"name": "laptop", "max_steps": 12, "cluster.device": "cpu"},
    "one_card": {"model.path": "Qwen/Qwen3-0.6B", "solution.max_tokens": 1024},
    "own_data": {"data.problem_key": "problem", "model.path": "Qwen/Qwen3-1.7B"},
    "made_problems": {"data.reasoning_gym.problems": 500},
    "baseline": {"mode": "grpo", "model.path": "Qwen/Qwen3-4B-Base"},
    "gate": {"gate.rule": "audited", "schedule.rule": "aligned", "gate.refill": True},
    "paper": {"gate.rule": "static", "gate.max_std": 0.1, "schedule.start": 80},
    "two_nodes": {"cluster.nodes": 2, "cluster.gpus_per_node": 8},
}


def read_command(file):
    (line,) = re.findall(r"^#   (masa-openrlhf train .*)$", file.read_text(), re.MULTILINE)
    return [word for word in shlex.split(line)[1:] if word != "--dry-run"]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_it_is_read_as_it_says(file):
    if file.stem == "made_problems" and sys.version_info < (3, 11):
        pytest.skip("reasoning-gym needs Python 3.11")
    command = read_command(file)
    assert str(file.relative_to(ROOT)) in command
    ended = subprocess.run(
        [sys.executable, "-m", "masa_openrlhf.cli", *command, "--dry-run", "--json"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        # The hub is not asked: what is there is named, not loaded.
        env=os.environ | {"HF_HUB_OFFLINE": "1"},
    )
    assert ended.returncode == 0, ended.stderr
    config = json.loads(ended.stdout)["config"]
    for name, value in CHOSEN[file.stem].items():
        found = config
        for part in name.split("."):
            found = found[part]
        assert (name, found) == (name, value)


def test_each_has_its_check_and_its_line_in_the_table():
    assert {file.stem for file in FILES} == CHOSEN.keys()
    table = (ROOT / "examples" / "README.md").read_text()
    for path in (ROOT / "examples").iterdir():
        if path.name not in ("README.md", "__pycache__"):
            assert f"[{path.name}]({path.name})" in table


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_schema_takes_it(file):
    jsonschema.validate(tomllib.loads(file.read_text()), json.loads(render_schema()))
