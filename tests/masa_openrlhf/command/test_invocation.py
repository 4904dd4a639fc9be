"""A command that the program prints works when it is pasted."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from masa_openrlhf.command import invocation
from masa_openrlhf.command.invocation import format_command, format_install

PROGRAM = Path(sys.executable).with_name("masa-openrlhf")
HINT = "name the preset to show: "


def ask_for_hint(folder, **variables):
    """The command that a mistake is answered with, from a shell in a folder."""
    ended = subprocess.run(
        [str(PROGRAM), "presets", "show"],
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", **variables},
    )
    return ended.stderr.partition(HINT)[2].strip()


@pytest.mark.parametrize("where", ["checkout", "elsewhere"])
@pytest.mark.parametrize("under_uv", [False, True])
def test_it_can_be_pasted_where_the_program_is_not_on_the_path(tmp_path, where, under_uv):
    folder = PROGRAM.parents[2] if where == "checkout" else tmp_path
    # uv puts the environment on the PATH of what it runs, and not on that of the shell.
    path = f"{PROGRAM.parent}:/usr/bin:/bin"
    variables = {"UV_RUN_RECURSION_DEPTH": "1", "PATH": path} if under_uv else {}
    command = ask_for_hint(folder, **variables)
    pasted = subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert pasted.returncode == 0, pasted.stderr
    assert "The embedded default" in pasted.stdout


def test_it_is_the_bare_name_where_the_shell_finds_it(tmp_path):
    command = ask_for_hint(tmp_path, PATH=f"{PROGRAM.parent}:/usr/bin:/bin")
    assert command == "masa-openrlhf presets show tiny"


def test_another_program_of_the_name_is_not_taken(tmp_path, monkeypatch):
    other = tmp_path / "masa-openrlhf"
    other.write_text("#!/bin/sh\n")
    other.chmod(0o755)
    assert ask_for_hint(tmp_path, PATH=f"{tmp_path}:/usr/bin:/bin").startswith(str(PROGRAM))


def test_what_a_shell_would_split_is_quoted(monkeypatch):
    monkeypatch.setattr(invocation, "format_program", lambda: "masa-openrlhf")
    assert format_command("train", "--resume", Path("my runs/x")) == (
        "masa-openrlhf train --resume 'my runs/x'"
    )
    assert shlex.split(format_command("a b"))[1] == "a b"


def test_without_the_script_the_module_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", ["/nowhere/cli.py"])
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert invocation.format_program() == f"{tmp_path / 'python'} -m masa_openrlhf.cli"


def test_how_to_install_is_said_as_it_works_here(monkeypatch):
    assert format_install("cpu") == "uv sync --all-packages --extra cpu"
    monkeypatch.setattr(invocation, "find_checkout", lambda: None)
    assert format_install("cluster") == "pip install 'masa-openrlhf[cluster]'"
    assert os.environ.get("PATH")
