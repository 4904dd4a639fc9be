"""The floor plan: rooms of a size, names that are verb and object, nothing declared twice."""

import ast
import re
from collections import Counter
from pathlib import Path

from masa_openrlhf.config.tree import TrainConfig

from tests.masa_openrlhf.settings_tree import list_settings

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "packages").glob("*/src/**/*.py"))
LARGEST_ROOM, LONGEST_FILE, LONG_FILES = 16, 350, 2

SHARED = {"MasaReward"}
"""Public class names that two files have, since two stacks look their own up by it."""


def functions():
    for file in SOURCES:
        for node in ast.parse(file.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node.name


def test_functions_of_a_module_say_what_they_do_to_what():
    names = list(functions())
    one_word = [name for name in names if "_" not in name.strip("_")]
    assert len(one_word) / len(names) < 0.05, sorted(one_word)


def test_public_class_names_are_there_once():
    names = Counter(
        node.name
        for file in SOURCES
        for node in ast.parse(file.read_text("utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert {name for name, count in names.items() if count > 1} <= SHARED


def test_a_room_can_be_looked_over():
    rooms = Counter(file.parent for file in SOURCES)
    assert {str(room): n for room, n in rooms.items() if n > LARGEST_ROOM} == {}


def test_few_files_are_long():
    sizes = {str(file): file.read_text("utf-8").count("\n") for file in SOURCES}
    assert len([file for file, lines in sizes.items() if lines > LONGEST_FILE]) <= LONG_FILES


def test_imports_stand_at_the_top():
    late = [str(file) for file in SOURCES if "noqa: E402" in file.read_text("utf-8")]
    assert late == []


def test_a_setting_is_declared_once():
    """No field of a run's tree stands in two models under one section.

    Models of a section that share a field inherit it.
    """
    sections = {name.split(".")[0] for name, _ in list_settings(TrainConfig)}
    words = Counter(re.sub(r"\s+", " ", f.description or "") for _, f in list_settings(TrainConfig))
    shared = {text for text, count in words.items() if count > 1}
    # What alternatives inherit is the same field; nothing else has the words of another.
    names = {}
    for name, field in list_settings(TrainConfig):
        text = re.sub(r"\s+", " ", field.description or "")
        if text in shared:
            names.setdefault(text, set()).add(name)
    assert all(len(found) == 1 for found in names.values()), names
    assert sections >= {"gate", "cutoff", "experts", "meta", "solution", "cluster"}
