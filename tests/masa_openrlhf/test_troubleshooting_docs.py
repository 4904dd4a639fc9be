"""The page of symptoms quotes the program, and names metrics and settings that there are."""

import json
import re

import pytest
from masa_openrlhf.config.rules import list_alternatives
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.display.columns import COLUMNS, EFFICIENT_COLUMNS
from masa_openrlhf.run import folder as run_folder

from tests.masa_openrlhf.program_texts import (
    GUIDES,
    ROOT,
    is_quoted,
    list_literals,
    read_tables,
)
from tests.masa_openrlhf.settings_tree import list_settings

TROUBLE = (GUIDES / "troubleshooting.md").read_text("utf-8")
MONITORING = (GUIDES / "monitoring.md").read_text("utf-8")
RUN_FOLDER = (ROOT / "docs" / "reference" / "run_folder.md").read_text("utf-8")
METRIC = re.compile(r"(solution|meta|gate|cutoff|ledger|policy|time|experts|tokens)/\w+")
SETTING = re.compile(r"[a-z]+(\.[a-z_]+)+")
FILES = re.compile(r"\.(jsonl?|md|log|txt|html)$")
ROWS = [row for heads, rows in read_tables(TROUBLE) for row in rows if len(heads) == 3]


def read_metrics():
    """The metrics of the golden steps, and what the sources name as a literal."""
    golden = (ROOT / "tests" / "data" / "golden").glob("control-*.jsonl")
    lines = [json.loads(line) for file in golden for line in file.read_text("utf-8").splitlines()]
    found = {
        name for line in lines for part in line.values() if isinstance(part, dict) for name in part
    }
    return found | set(list_literals())


METRICS = read_metrics()
SETTINGS = {name for name, _ in list_settings(TrainConfig)}
SETTINGS |= {
    f"{section}.rule" for section in TrainConfig.model_fields if list_alternatives(section)
}


def test_the_quoting_is_strict():
    assert is_quoted("there is no flag ... of ours or of OpenRLHF's")
    assert not is_quoted("there is no flag of ours or of OpenRLHF's")
    assert not is_quoted("of ours or of OpenRLHF's ... there is no flag")
    assert not is_quoted("the moon is not reached")


@pytest.mark.parametrize("said", [row[0] for row in ROWS])
def test_what_the_program_says_it_says(said):
    quotes = re.findall(r"`([^`]+)`", said)
    for quote in quotes:
        if METRIC.fullmatch(quote):
            assert quote in METRICS
        elif SETTING.fullmatch(quote):
            assert quote in SETTINGS
        else:
            assert is_quoted(quote), quote
    assert quotes or "Brier" in said


def test_there_are_causes_and_ways_out():
    assert len(ROWS) >= 50
    assert all(len(row) == 3 and all(row) for row in ROWS)


@pytest.mark.parametrize("page", [TROUBLE, MONITORING], ids=["troubleshooting", "monitoring"])
def test_settings_and_metrics_that_are_named_there_are(page):
    quotes = {
        re.split(r" = | ", quote)[0].lstrip("-") for quote in re.findall(r"`([^`\n]+)`", page)
    }
    settings = {q for q in quotes if SETTING.fullmatch(q) and not FILES.search(q)}
    ours = {q for q in settings if not q.startswith("logger.")}
    assert len(ours) >= 2
    assert ours - SETTINGS == set()
    metrics = {q for q in quotes if METRIC.fullmatch(q)}
    assert metrics
    assert metrics - METRICS == set()


def test_the_columns_of_the_table_are_those_of_the_page():
    (rows,) = [rows for heads, rows in read_tables(MONITORING) if heads[0] == "column"]
    told = {row[0]: row[1].strip("`") for row in rows}
    shown = {heading: key for heading, key, _ in (*COLUMNS, *EFFICIENT_COLUMNS)}
    assert set(told) == set(shown)
    assert all(told[heading] == key for heading, key in shown.items() if "/" in key)


def test_the_page_of_the_run_folder_names_what_its_module_names():
    files = re.findall(r"^([\w./-]+) {2,}\S", run_folder.__doc__, re.MULTILINE)
    (rows,) = [rows for heads, rows in read_tables(RUN_FOLDER) if heads[0] == "file"]
    assert {row[0].strip("`") for row in rows} == set(files)
