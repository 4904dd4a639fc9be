from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
from pathlib import Path

import masa_rewards
import pytest

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "packages" / "masa-rewards" / "README.md"
SCORE = ROOT / "docs" / "guides" / "score.md"
MODULES = ["masa_rewards"] + [
    module.name for module in pkgutil.walk_packages(masa_rewards.__path__, "masa_rewards.")
]
# What only comes back from something that has an example.
WITHOUT_EXAMPLE = {"MetaReward", "Missing", "Verdict"}
# What the page on scoring takes as given: a problem, answers to its meta prompt, and its solutions.
GIVEN = {
    "problem": "Find 2 + 2.",
    "gold": "4",
    "meta_answers": ['{"pass_rate": 4, "solution_length": 200, "math_notion": ["a sum"]}', "Hm."],
    "solutions": [r"It is a sum: \boxed{4}.", r"\boxed{5}"],
    "token_counts": [200, 90],
}


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_the_docstrings_run(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_what_is_public_has_an_example_or_its_module_has():
    finder = doctest.DocTestFinder(exclude_empty=True)
    shown = "".join(
        example.source
        for name in MODULES
        for test in finder.find(importlib.import_module(name))
        for example in test.examples
    )
    without = {name for name in masa_rewards.__all__ if not re.search(rf"\b{name}\b", shown)}
    assert without <= WITHOUT_EXAMPLE, "write a doctest for each of these"


def run_python(page, given):
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    assert blocks
    names = dict(given)
    for block in blocks:
        exec(compile(block, page.name, "exec"), names)
    return names


def test_the_example_of_the_readme_prints_what_it_says(capsys):
    run_python(README, {})
    (printed,) = re.findall(r"^```text\n(.*?)^```", README.read_text("utf-8"), re.DOTALL | re.M)
    assert capsys.readouterr().out == printed


def test_the_python_of_the_page_on_scoring_runs(tmp_path, monkeypatch):
    if not SCORE.is_file():
        pytest.skip("docs are not in this checkout")
    monkeypatch.chdir(tmp_path)
    report = run_python(SCORE, GIVEN)["report"]
    assert (report.rewards.total.mean, report.unreadable["length"]) == (0.5, {"no_json": 1})
