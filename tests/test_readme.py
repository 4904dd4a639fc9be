"""The README: one screen, a snippet that runs, commands that can be pasted."""

import contextlib
import io
import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MOST_WORDS = 700


def list_blocks(language: str) -> list[str]:
    """Return the fenced blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def list_commands() -> list[list[str]]:
    """Return the commands of the shell blocks, in words, without comments."""
    lines = "".join(list_blocks("sh")).splitlines()
    return [shlex.split(line, comments=True) for line in lines if line.strip()]


def test_it_is_one_screen() -> None:
    assert len(README.split()) <= MOST_WORDS


def test_the_snippet_prints_what_stands_below_it() -> None:
    (code,), (printed,) = list_blocks("python"), list_blocks("text")
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, "README.md", "exec"), {})
    assert out.getvalue() == printed


def test_its_make_targets_are_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {words[1] for words in list_commands() if words[0] == "make"}
    named |= set(re.findall(r"`make ([a-z-]+)`", README))
    assert {"train", "test", "docs", "wheels"} <= named <= targets


@pytest.mark.parametrize("program", ["masa-openrlhf", "masa-rewards"])
def test_its_programs_are_installed(program: str) -> None:
    """Every one of its commands begins with what a checkout has after `make train`."""
    heads = [words[:4] for words in list_commands() if words[0] == "uv" and words[1] == "run"]
    assert ["uv", "run", "--no-sync", program] in heads
    assert {head[3] for head in heads} <= {"masa-openrlhf", "masa-rewards"}
    scripts = (ROOT / "packages" / program / "pyproject.toml").read_text(encoding="utf-8")
    assert f'[project.scripts]\n{program} = "' in scripts


def test_its_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#\s:]+)(?:#[^)]*)?\)", README)
    assert len(links) > 12
    assert [link for link in links if not (ROOT / link).exists()] == []
