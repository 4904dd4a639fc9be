"""The page of clusters: our command line reads its commands, the program says its sentences."""

import ast
import re
import shlex
from functools import cache
from pathlib import Path

import pytest
from masa_openrlhf.cli import main
from masa_openrlhf.config.layers import build_config, read_preset
from masa_openrlhf.run.folder import RunFolder

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "guides" / "cluster.md").read_text("utf-8")
SOURCES = sorted((ROOT / "packages" / "masa-openrlhf" / "src").rglob("*.py"))
SCRIPTS = sorted((ROOT / "deploy").glob("*.sh"))


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def list_commands():
    """The flags of each `masa-openrlhf train` that the page, or a script's head, starts."""
    texts = [line for block in blocks(PAGE, "sh") for line in block.splitlines()]
    texts += [
        line.lstrip("# ")
        for file in (*SCRIPTS, ROOT / "deploy" / "Dockerfile")
        for line in file.read_text("utf-8").splitlines()
        if line.startswith("#   ")
    ]
    for text in texts:
        words = shlex.split(text, comments=True)
        for start in (["masa-openrlhf", "train"], ["masa", "train"]):
            for at in range(len(words)):
                if words[at : at + 2] == start:
                    yield tuple(words[at + 2 :])
        for script in ("deploy/slurm.sh", "deploy/ray_job.sh"):
            if script in words:
                yield tuple(words[words.index(script) + 1 :])


COMMANDS = sorted(set(list_commands()))


def test_the_page_has_commands():
    assert len(COMMANDS) >= 5
    assert any("--resume" in command for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_each_command_is_one_that_train_reads(command, tmp_path, capsys):
    words = list(command)
    if "--resume" in words:
        folder = RunFolder(tmp_path / "run")
        folder.create(build_config(read_preset("qwen3-8b")))
        words[words.index("--resume") + 1] = str(folder.path)
    else:
        words += ["--runs", str(tmp_path)]
    with pytest.raises(SystemExit) as ended:
        main(["train", *(word for word in words if word != "--dry-run"), "--dry-run"])
    assert ended.value.code == 0
    assert "train_ppo_ray" in capsys.readouterr().out


# -- what it says ----------------------------------------------------------------------------------


@cache
def list_templates():
    """Every text of the program, with None where a value goes."""
    found = []
    for file in SOURCES:
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = [p.value if isinstance(p, ast.Constant) else None for p in node.values]
                found.append(tuple(parts))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append((node.value,))
    return found


@cache
def list_literals():
    return [part for parts in list_templates() for part in parts if part]


def table(title):
    """The rows of the table under a heading, as cells."""
    part = PAGE.partition(f"## {title}")[2].partition("\n## ")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


TROUBLE = table("When it does not start, or does not go on")


@pytest.mark.parametrize("said", [row[0] for row in TROUBLE])
def test_what_the_program_says_it_says(said):
    """Parts of one sentence stand apart by dots, where a value is."""
    pieces = [piece for text in re.findall(r"`([^`]+)`", said) for piece in text.split(" ... ")]
    assert pieces
    for piece in pieces:
        assert any(piece in literal for literal in list_literals()), piece


def test_there_are_causes_and_ways_out():
    assert len(TROUBLE) >= 15
    assert all(len(row) == 3 and all(row) for row in TROUBLE)


def matches(line):
    """Whether a line is one of the program's texts, with values in their places."""
    for parts in list_templates():
        if len("".join(filter(None, parts)).strip()) >= 8:
            pattern = "".join(".*?" if part is None else re.escape(part) for part in parts)
            if re.search(pattern, line):
                return True
    return False


def test_the_lines_of_a_terminal_are_the_programs():
    lines = [line for block in blocks(PAGE, "text") for line in block.splitlines()]
    assert len(lines) >= 10
    ours = [line for line in lines if not line.startswith("{")]
    assert [line for line in ours if not matches(line)] == []


def test_the_events_are_the_programs():
    lines = [line for block in blocks(PAGE, "text") for line in block.splitlines()]
    events = [ast.literal_eval(line) for line in lines if line.startswith("{")]
    assert events
    assert all(event["event"] in list_literals() for event in events)
    assert all(event.get("what", "phase") in list_literals() for event in events)


def test_the_page_is_short_enough_to_be_read():
    assert len(PAGE.split()) <= 2050
