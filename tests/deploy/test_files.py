"""What is in deploy/ is well-formed, and names what there is."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

try:
    import tomllib
except ModuleNotFoundError:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
SCRIPTS = sorted((ROOT / "deploy").glob("*.sh"))
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text("utf-8")
PROGRAMS = Path(sys.executable).parent  # both linters come as packages from PyPI


def lint(name, *arguments):
    done = subprocess.run(
        [str(PROGRAMS / name), *map(str, arguments)], capture_output=True, text=True, check=False
    )
    return [f"{one['line']}: {one['message']}" for one in json.loads(done.stdout)]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_shellcheck_finds_nothing(script):
    assert lint("shellcheck", "--format=json", script) == []


def test_hadolint_finds_nothing():
    assert lint("hadolint", "--format=json", ROOT / "deploy" / "Dockerfile") == []


@pytest.mark.parametrize(
    ("command", "name", "text", "found"),
    [
        (("shellcheck", "--format=json"), "x.sh", "#!/bin/bash\nrm $1\n", "Double quote"),
        (("hadolint", "--format=json"), "Dockerfile", "FROM debian\n", "Always tag the version"),
    ],
    ids=["shellcheck", "hadolint"],
)
def test_a_linter_finds_something_where_there_is(tmp_path, command, name, text, found):
    (tmp_path / name).write_text(text)
    assert found in " ".join(lint(*command, tmp_path / name))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_stops_at_its_first_error_and_can_be_run(script):
    lines = script.read_text("utf-8").splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    assert next(line for line in lines if line and line[0] != "#") == "set -euo pipefail"
    assert script.stat().st_mode & 0o111


def list_instructions():
    text = re.sub(r"\\\n\s*", "", re.sub(r"^#.*\n", "", DOCKERFILE, flags=re.MULTILINE))
    return [line.partition(" ")[::2] for line in text.splitlines() if line.strip()]


def test_all_that_the_image_copies_is_there_and_let_through():
    allowed = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text().splitlines()
    for name, rest in list_instructions():
        if name == "COPY":
            *sources, _ = [word for word in shlex.split(rest) if not word.startswith("--")]
            for source in sources:
                assert (ROOT / source).exists()
                assert f"!{source}" in allowed


def test_the_image_installs_an_extra_that_there_is():
    package = tomllib.loads((ROOT / "packages/masa-openrlhf/pyproject.toml").read_text("utf-8"))
    extras = package["project"]["optional-dependencies"]
    (default,) = re.findall(r"^ARG EXTRA=(\S+)$", DOCKERFILE, re.MULTILINE)
    assert default in extras


def test_the_image_does_not_run_as_root_and_names_no_registry():
    names = [name for name, _ in list_instructions()]
    users = [rest for name, rest in list_instructions() if name == "USER"]
    assert users == ["1000"]  # a number: Kubernetes can tell that it is not root
    assert names.index("USER") < names.index("ENTRYPOINT")
    assert "://" not in DOCKERFILE
