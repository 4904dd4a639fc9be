"""The code of the pages runs, as it stands there, and prints what they say."""

import re
import sys
from pathlib import Path

import pytest

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


def test_the_page_on_control_names_what_there_is():
    import masa_control

    page = (ROOT / "docs" / "concepts" / "control.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([A-Z][A-Za-z]+)(?:\(|`|\.)", page))
    assert named >= {"PredictiveGate", "AuditedGateSettings", "CalibratedCutoffSettings"}
    assert not {name for name in named if not hasattr(masa_control, name)}
