"""The pages of clusters: `train` reads their commands, and the program says their sentences."""

import ast
import shlex

import pytest
from masa_openrlhf.cli import main
from masa_openrlhf.config.layers import build_config, read_preset
from masa_openrlhf.run.folder import RunFolder

from tests.masa_openrlhf.program_texts import (
    GUIDES,
    ROOT,
    list_literals,
    matches_template,
    read_blocks,
)

PAGES = {
    name: (GUIDES / f"{name}.md").read_text("utf-8")
    for name in ("cluster", "launchers", "gpu", "troubleshooting", "monitoring")
}
SCRIPTS = sorted((ROOT / "deploy").glob("*.sh"))


def list_commands():
    """The flags of each `masa-openrlhf train` that a page, or a script's head, starts."""
    texts = [
        line
        for page in PAGES.values()
        for block in read_blocks(page, "sh")
        for line in block.splitlines()
    ]
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


def test_the_pages_have_commands():
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

LINES = [line for block in read_blocks(PAGES["cluster"], "text") for line in block.splitlines()]


def test_the_lines_of_a_terminal_are_the_programs():
    assert len(LINES) >= 10
    ours = [line for line in LINES if not line.startswith("{")]
    assert [line for line in ours if not matches_template(line)] == []


def test_the_events_are_the_programs():
    events = [ast.literal_eval(line) for line in LINES if line.startswith("{")]
    assert events
    assert all(event["event"] in list_literals() for event in events)
    assert all(event.get("what", "phase") in list_literals() for event in events)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_short_enough_to_be_read(name):
    assert len(PAGES[name].replace("|", " ").split()) <= 1600
