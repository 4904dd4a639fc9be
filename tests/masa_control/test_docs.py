"""The code of the pages runs, as it stands there, and prints what they say."""

import doctest
import re
import sys
from pathlib import Path
from typing import get_args

import pytest
from masa_control import (
    AllocationSettings,
    CutoffSettings,
    ExpertSettings,
    GateSettings,
    HintSettings,
    ReaderSettings,
    ScheduleSettings,
)

ROOT = Path(__file__).resolve().parents[2]


def blocks(path, language):
    text = (ROOT / path).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def run(code, name):
    names = {}
    exec(compile(code, name, "exec"), names)
    return names


def test_the_page_on_signals(tmp_path, monkeypatch, capsys):
    module, script = blocks("docs/guides/signals.md", "python")
    (tmp_path / "my_signals.py").write_text(module, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    try:
        run(script, "signals.md")
    finally:
        sys.modules.pop("my_signals", None)
    printed = capsys.readouterr().out
    assert '- "answer_is_integer": true or false, whether the answer is an integer.' in printed
    (said,) = blocks("docs/guides/signals.md", "text")
    assert printed.endswith(said)


@pytest.mark.parametrize("number", range(2))
def test_the_examples_of_the_readme(number, capsys):
    code = blocks("packages/masa-control/README.md", "python")
    assert len(code) == 2
    run(code[number], "README.md")
    text = (ROOT / "packages" / "masa-control" / "README.md").read_text(encoding="utf-8")
    said = re.findall(r"prints\s+`(.*?)`", text, re.DOTALL)
    assert capsys.readouterr().out.strip() == said[number].replace("\n", " ")


def test_the_example_of_one_episode():
    page = ROOT / "docs" / "concepts" / "index.md"
    result = doctest.testfile(str(page), module_relative=False, encoding="utf-8")
    assert result.attempted >= 8
    assert result.failed == 0


def test_the_concept_pages_name_what_there_is():
    import masa_control

    pages = ("efficient", "readers", "audits")
    texts = [(ROOT / "docs" / "concepts" / f"{page}.md").read_text("utf-8") for page in pages]
    texts.append((ROOT / "packages" / "masa-control" / "README.md").read_text("utf-8"))
    named = set(re.findall(r"`([A-Z][A-Za-z]+)(?:\(|`)", "\n".join(texts))) - {"None"}
    assert named >= {"PredictiveGate", "AuditedGateSettings", "CalibratedCutoffSettings", "Belief"}
    assert not {name for name in named if not hasattr(masa_control, name)}


def test_the_concept_pages_name_settings_that_exist():
    """What stands in code as ``section.name``, of the sections of decisions and readers."""
    settings = {
        "gate": GateSettings,
        "cutoff": CutoffSettings,
        "hints": HintSettings,
        "schedule": ScheduleSettings,
        "reader": ReaderSettings,
        "allocation": AllocationSettings,
        "experts": ExpertSettings,
    }
    known = {f"{name}.{field}" for name, union in settings.items() for field in list_fields(union)}
    pages = sorted((ROOT / "docs" / "concepts").glob("*.md"))
    text = "\n".join(page.read_text("utf-8") for page in pages)
    named = set(re.findall(rf"`((?:{'|'.join(settings)})\.\w+)", text))
    assert len(named) > 30
    assert named - known == set()


def list_fields(annotation):
    """Return the fields of all models of a union."""
    if hasattr(annotation, "model_fields"):
        return set(annotation.model_fields)
    return set().union(*map(list_fields, filter(is_model, get_args(annotation))))


def is_model(annotation):
    return hasattr(annotation, "model_fields") or bool(get_args(annotation))
