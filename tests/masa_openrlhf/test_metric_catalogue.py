"""Every metric that a run writes is in the catalogue, and the page is that of the catalogue."""

import re
from pathlib import Path

import pytest
from masa_openrlhf.display.metric_catalogue import CATALOGUE, find_metric, render_metrics_page

ROOT = Path(__file__).parents[2]
NAME = re.compile(
    r"\"((?:solution|meta|gate|cutoff|hints|experts|schedule|reader|waves|tokens|sampling|"
    r"policy|time|overhead|ledger)/[a-z_0-9{}.]+)\""
)
ROOMS = ROOT / "packages/masa-openrlhf/src/masa_openrlhf"
LEFT_OUT = (ROOMS / "run/old_names.py", ROOMS / "display/metric_catalogue.py")


def find_names_in_source() -> set[str]:
    """Names that stand whole in the code; runs of tests/stack have those made of parts."""
    found = set()
    for package in ("masa-control", "masa-openrlhf"):
        for file in (ROOT / "packages" / package / "src").rglob("*.py"):
            if file not in LEFT_OUT:
                text = file.read_text(encoding="utf-8")
                found |= {name for name in NAME.findall(text) if "{" not in name}
    return found


def test_every_name_in_the_code_is_in_the_catalogue() -> None:
    names = find_names_in_source()
    assert len(names) > 60
    assert [name for name in sorted(names) if find_metric(name) is None] == []


def test_every_entry_of_the_catalogue_stands_for_a_name_in_the_code() -> None:
    """None describes what no run writes."""
    written = find_names_in_source()
    whole = [entry.name for entry in CATALOGUE if "/" in entry.name and "<" not in entry.name]
    made_of_parts = {  # counters, whose names are made in the ledger
        *("ledger/problems", "ledger/planned", "ledger/hinted", "ledger/undecided_predictions"),
        *("ledger/cloned_sequences", "ledger/steps_without_update", "ledger/wave_audits"),
        "overhead/verification_wait",
    }
    assert [name for name in whole if name not in written | made_of_parts] == []


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("solution/pass_rate", "solution/pass_rate"),
        ("meta/unreadable_notion", "meta/unreadable_<part>"),
        ("ledger/gate_f1_low", "ledger/<decision>_<figure>"),
        ("ledger/gate_tokens_saved", "ledger/<decision>_tokens_saved"),
        ("ledger/unreadable_length_wrong_type", "ledger/unreadable_<part>_<reason>"),
        ("overhead/share", "overhead/share"),
    ],
)
def test_the_most_particular_entry_is_found(name: str, entry: str) -> None:
    found = find_metric(name)
    assert found is not None
    assert found.name == entry


def test_a_name_of_no_metric_is_not_found() -> None:
    assert find_metric("solution/beauty") is None


def test_the_page_is_that_of_the_catalogue() -> None:
    page = (ROOT / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
    assert page == render_metrics_page(), "write it anew: make docs"
