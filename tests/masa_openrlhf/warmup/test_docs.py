"""What the page on models says of the preset's warm-up is what was recorded."""

import json
import re
from pathlib import Path

DOCS = Path(__file__).parents[3] / "docs"


def test_the_shares_on_the_page_are_those_of_the_record():
    record = json.loads((DOCS / "data" / "warmup.json").read_text("utf-8"))
    page = (DOCS / "guides" / "models.md").read_text("utf-8")
    shown = dict(
        re.findall(r"^\| ([a-z ()@1]+) \| (\d+\.\d % \| \d+\.\d %) \|$", page, re.MULTILINE)
    )
    expected = {}
    for title, read in {
        "readable answers": lambda share: share["readable_answers"],
        "readable pass rates": lambda share: share["readable_parts"]["pass_rate"],
        "readable lengths": lambda share: share["readable_parts"]["length"],
        "readable notions": lambda share: share["readable_parts"]["notions"],
        "truncated solutions": lambda share: share["truncated_answers"],
        "right solutions (pass@1)": compute_pass_rate,
    }.items():
        before, after = (100 * read(record[name]) for name in ("before", "after"))
        expected[title] = f"{before:.1f} % | {after:.1f} %"
    assert shown == expected
    assert f"{record['seconds'] / 60:.0f} minutes" in page


def compute_pass_rate(share):
    rates = share["pass_rates"].items()
    return sum(float(rate) * count for rate, count in rates) / share["problems"]
