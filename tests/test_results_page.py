"""The results page quotes the record, and the record is what the recorded runs come to."""

import json
import re

import pytest
from masa_benchmarks.comparison.claims import compute_claims
from masa_benchmarks.comparison.results_page import (
    PAGE,
    RECORD,
    fill_page,
    format_claim,
    render_table,
)
from masa_benchmarks.paths import ROOT

NUMBER = r"[-+]?\d+\.\d+"
INTERVAL = re.compile(rf"({NUMBER}|\d+)\s+\[({NUMBER}|\d+), ({NUMBER}|\d+)\]")

SETTINGS = {"0.2"}
"""Decimals on the page that are settings, not figures."""


@pytest.fixture(scope="module")
def record():
    return json.loads(RECORD.read_text("utf-8"))


def flatten(value, path=""):
    """Every number of the record, by its place."""
    if isinstance(value, dict):
        return {p: n for k, v in value.items() for p, n in flatten(v, f"{path}/{k}").items()}
    if isinstance(value, list):
        return {p: n for i, v in enumerate(value) for p, n in flatten(v, f"{path}/{i}").items()}
    return {path: value} if isinstance(value, int | float) else {}


def list_intervals(value):
    """Every mean of the record with its ends: lists of three numbers, and relative costs."""
    if isinstance(value, dict):
        own = [[value["value"], value["low"], value["high"]]] if "low" in value else []
        return own + [found for one in value.values() for found in list_intervals(one)]
    is_mean = isinstance(value, list) and len(value) == 3 and None not in value
    return [value] if is_mean else []


def read_prose():
    """The page without its table, numbers of code and links."""
    text = re.sub(
        r"<!-- table: tokens -->.*<!-- end of table -->", "", PAGE.read_text("utf-8"), flags=re.S
    )
    text = re.sub(r"```.*?```|`[^`]*`|\(\.\./[^)]*\)", "", text, flags=re.S)
    return " ".join(text.split())


def test_the_record_is_what_the_recorded_runs_come_to(record):
    found, kept = flatten(compute_claims()), flatten(record)
    assert found.keys() == kept.keys()
    wrong = {p: (kept[p], n) for p, n in found.items() if n != pytest.approx(kept[p], rel=2e-4)}
    assert wrong == {}


def test_the_table_of_the_page_is_that_of_the_record(record):
    page = PAGE.read_text("utf-8")
    assert fill_page(page, record) == page, "write it anew: the last command of the page"
    assert render_table(record).count("\n") > 10
    with pytest.raises(ValueError, match="<!-- table: NAME -->"):
        fill_page("no marker", record)
    with pytest.raises(ValueError, match=r"\['steps'\] are not known"):
        fill_page("<!-- table: steps -->\n<!-- end of table -->", record)


def test_every_interval_in_the_text_of_the_page_is_one_of_the_record(record):
    known = {
        tuple(f"{number:.{digits}f}" for number in interval)
        for interval in list_intervals(record)
        if None not in interval
        for digits in (0, 2, 3)
    }
    quoted = INTERVAL.findall(read_prose())
    assert len(quoted) > 12
    assert [one for one in quoted if one not in known] == []


def test_every_decimal_in_the_text_of_the_page_is_one_of_the_record(record):
    known = {f"{n:.{digits}f}" for n in flatten(record).values() for digits in (2, 3)}
    quoted = re.findall(r"(?<![\w.])\d+\.\d+(?![\w.]*\d)", read_prose())
    assert len(quoted) > 50
    assert sorted(set(quoted) - known - SETTINGS) == []


@pytest.mark.parametrize("page", ["docs/results/index.md", "README.md"])
def test_the_claim_is_that_of_the_record(record, page):
    text = re.sub(r"[\s*]+", " ", (ROOT / page).read_text("utf-8")).replace("–", "-")
    fewer, ratio = re.fullmatch(r"(.*?) than GRPO (\(.*\))", format_claim(record)).groups()
    assert re.search(rf"{re.escape(fewer)}.{{0,200}}{re.escape(ratio)}", text)
    ratios = re.findall(r"\(ratio [^)]*CI[^)]*\)", text)
    assert set(ratios) == {ratio}, "another ratio is claimed"


def test_the_share_of_groups_that_teach_nothing_is_that_of_the_record(record):
    """Of GRPO's ten runs: five policies, and five seeds of one."""
    sets = [record[name]["grpo"] for name in ("five-policies", "one-policy")]
    assert [len(each["seeds"]) for each in sets] == [5, 5]
    share = sum(each["no_variance"][0] for each in sets) / 2
    assert f"({share:.2f} of the groups in our ten GRPO runs" in (ROOT / "README.md").read_text(
        "utf-8"
    )


def test_a_perfect_match_of_a_claim_needs_its_numbers(record):
    cost = record["five-policies"]["round-13"]["relative_tokens"]["100%"]
    other = {**record, "five-policies": {"round-13": {"relative_tokens": {"100%": {**cost}}}}}
    other["five-policies"]["round-13"]["relative_tokens"]["100%"]["value"] = 0.7
    assert format_claim(other).startswith("30 % fewer tokens than GRPO (ratio 0.70, 95 % CI ")
