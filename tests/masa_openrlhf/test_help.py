"""The help of the commands: every setting, once a rule, in words of its own."""

import re

import pytest
from masa_openrlhf.config.help import render_settings, render_train_help
from masa_openrlhf.config.rules import list_alternatives
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.eval.benchmarks.registry import FAMILIES
from masa_openrlhf.eval.config import EvaluationConfig
from masa_openrlhf.eval.help_text import render_eval_help
from pydantic import BaseModel

from tests.masa_openrlhf.settings_tree import list_settings


def described(text):
    """Flag -> its descriptions, one for each rule that has it."""
    found = {}
    for block in re.split(r"\n(?=  --|\n\S)", text):
        flag = re.match(r"  (--\S+?),? ", block + " ")
        if flag:
            words = " ".join(block.split("\n", 1)[1].split()) if "\n" in block else ""
            found.setdefault(flag[1], []).append(words)
    return found


@pytest.mark.parametrize("config", [TrainConfig, EvaluationConfig])
def test_every_setting_has_a_sentence_and_its_default(config):
    found = described(render_settings(config))
    for name, field in list_settings(config):
        sentences = found["--" + name.replace("_", "-")]
        for sentence in sentences:
            assert re.fullmatch(r"[A-Za-z0-9α].*[.)] \(default: .*\)", sentence), (name, sentence)
        assert field.description, name


def test_settings_of_a_rule_stand_under_it():
    text = render_train_help()
    audited = text.index("gate, with --gate.rule audited")
    assert text.index("gate, with --gate.rule static") < text.index("--gate.max-std") < audited
    assert audited < text.index("--gate.precision") < text.index("--cutoff.rule")
    for section in ("gate", "cutoff", "hints", "schedule"):
        rules = ",".join(list_alternatives(section))
        assert text.count(f"--{section}.rule {{{rules}}}") == 1


@pytest.mark.parametrize("width", [60, 100])
def test_it_is_as_wide_as_the_terminal(monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    lines = [
        line for line in render_settings(TrainConfig).splitlines() if line.startswith("      ")
    ]
    assert max(map(len, lines)) <= width
    assert max(map(len, lines)) > width - 15


def test_lines_stand_alone():
    """No line goes on from another flag's: each begins a sentence, and none with "likewise"."""
    for name, field in list_settings(TrainConfig):
        words = " ".join((field.description or "").split())
        assert "likewise" not in words, name
        assert words[:4] != "and ", name


def test_the_evaluations_help_names_every_benchmark():
    text = render_eval_help()
    for family in FAMILIES.values():
        for entry in family:
            assert entry.name in text


def test_a_model_without_descriptions_is_seen():
    class Bare(BaseModel):
        x: int = 1

    ((name, field),) = list_settings(Bare)
    assert (name, field.description) == ("x", None)
