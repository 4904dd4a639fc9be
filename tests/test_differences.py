"""The tables of differences name symbols, settings and tests that exist."""

import ast
import re
from functools import cache
from pathlib import Path

import griffe
import pytest
from masa_openrlhf.config.rules import list_alternatives
from masa_openrlhf.config.tree import TrainConfig

from tests.masa_openrlhf.settings_tree import list_settings

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs" / "reference"
PAGES = {
    "differences.md": 45,
    "differences_training.md": 35,
    "differences_efficient.md": 22,
    "stock_openrlhf.md": 31,
    "stock_openrlhf_machines.md": 37,
}
"""Page -> rows that it has at least."""

RULES = {f"{name}.rule" for name in TrainConfig.model_fields if list_alternatives(name)}
QUOTED = re.compile(r"`([^`]+)`")
TEST = re.compile(r"[\w/]+\.py::\w+")


def read_rows(page: str) -> list[dict[str, str]]:
    """Return the rows of a page's tables, by the heads of their columns."""
    rows = []
    heads: list[str] = []
    for line in (REFERENCE / page).read_text("utf-8").splitlines():
        if not line.startswith("|"):
            heads = []
            continue
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not heads:
            heads = cells
        elif not set("".join(cells)) <= set("-: "):
            rows.append(dict(zip(heads, cells, strict=True)))
    return rows


@cache
def load_packages() -> dict[str, griffe.Module]:
    """Read the sources of the three packages without importing them: the stack is heavy."""
    loader = griffe.GriffeLoader(
        search_paths=[str(path) for path in (ROOT / "packages").glob("*/src")]
    )
    names = ("masa_rewards", "masa_control", "masa_openrlhf")
    return {name: loader.load(name) for name in names}


def is_symbol(path: str) -> bool:
    """Whether a module, or what is reached from it by attributes, inherited ones included."""
    package, *names = path.split(".")
    found = load_packages().get(package)
    for name in names:
        if found is None:
            return False
        found = found.all_members.get(name) if found.is_class else found.members.get(name)
    return found is not None


@cache
def list_tests(path: str) -> frozenset[str]:
    file = ROOT / "tests" / path
    if not file.is_file():
        return frozenset()
    return frozenset(
        node.name
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def is_test(quoted: str) -> bool:
    path, _, name = quoted.partition("::")
    return name.startswith("test_") and name in list_tests(path)


@pytest.mark.parametrize("page", PAGES)
def test_every_symbol_and_setting_exists(page: str) -> None:
    settings = {name for name, _ in list_settings(TrainConfig)} | RULES
    named = [quoted for row in read_rows(page) for quoted in QUOTED.findall(row["where"])]
    assert len(named) >= PAGES[page]
    wrong = [
        name
        for name in named
        if not (is_symbol(name) if name.startswith("masa_") else name in settings)
    ]
    assert wrong == []


@pytest.mark.parametrize("page", PAGES)
def test_every_test_exists(page: str) -> None:
    rows = read_rows(page)
    assert len(rows) >= PAGES[page]
    untold = [row for row in rows if not QUOTED.search(row["test"]) and row["test"] != "none"]
    assert untold == []
    in_tables = [quoted for row in rows for quoted in QUOTED.findall(row["test"])]
    in_text = TEST.findall((REFERENCE / page).read_text("utf-8"))
    assert set(in_tables) <= set(in_text)
    assert [name for name in in_text if not is_test(name)] == []


def test_what_does_not_exist_is_found() -> None:
    assert is_symbol("masa_rewards.types.RolloutGroup.pass_rate")
    assert not is_symbol("masa_rewards.types.RolloutGroup.pass_rates")
    assert not is_symbol("masa_rewards.nothing")
    assert is_test("test_differences.py::test_what_does_not_exist_is_found")
    assert not is_test("test_differences.py::test_of_nothing")
    assert not is_test("test_nothing.py::test_of_nothing")
