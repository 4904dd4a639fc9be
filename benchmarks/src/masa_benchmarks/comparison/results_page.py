"""Write the record and the table of the results page from the recorded runs.

`python -m masa_benchmarks.comparison.results_page` computes the figures of `docs/results/index.md`,
writes them to `docs/data/results.json`, and puts the table between the markers of the page.
"""

from __future__ import annotations

import json
import sys

from masa_benchmarks.comparison.claims import DATA, Record, compute_claims
from masa_benchmarks.comparison.reading import RelativeCost
from masa_benchmarks.comparison.tables import format_cost
from masa_benchmarks.markdown import fill_tables, format_interval, format_table
from masa_benchmarks.paths import ROOT

PAGE = ROOT / "docs" / "results" / "index.md"
RECORD = DATA / "results.json"

_ROWS = (
    ("five policies", "five-policies", "grpo", "GRPO"),
    ("", "five-policies", "round-13", "**MASA-efficient**"),
    ("", "five-policies", "masa-efficient", "MASA-efficient, `experts.threshold` 0.2"),
    ("one policy", "one-policy", "grpo", "GRPO"),
    ("", "one-policy", "masa-efficient", "**MASA-efficient, `experts.threshold` 0.2**"),
    ("", "one-policy", "no-refill", "the same, skipped problems not replaced"),
    ("", "one-policy", "decides-nothing", "the same, predictions decide nothing"),
    ("", "one-policy", "masa", "MASA (learning rate 5e-4)"),
    ("", "one-policy", "random", "MASA-efficient with a random gate"),
    ("", "one-policy", "grpo-half", "GRPO, half the batch"),
    ("", "one-policy", "dapo", "GRPO, DAPO's dynamic sampling"),
    ("", "one-policy", "oracle", "oracle gate"),
)
"""What the table calls its runs, set and arm in the record, and what it calls the arm."""

_SHARES = ("50%", "90%", "100%")


def render_table(record: Record) -> str:
    """Return the page's table, as Markdown.

    Args:
        record: as of ``compute_claims``.
    """
    head = ["runs", "arm", "seeds", "pass@1 at the end", "thousand tokens"]
    head += [f"tokens / GRPO's at {share.replace('%', ' %')} of its gain" for share in _SHARES]
    rows: list[list[str]] = [[*head, "correlation of pass rates"]]
    for runs, name, arm, title in _ROWS:
        figures = record[name][arm]
        costs = figures.get("relative_tokens", {})
        rows.append(
            [
                runs,
                title,
                str(len(figures["seeds"])),
                format_interval(*figures["pass_at_1"], ".3f"),
                f"{figures['thousand_tokens'][0]:.0f}",
                *(format_cost(RelativeCost(**costs[s])) if costs else "" for s in _SHARES),
                format_interval(*figures.get("pass_rate_correlation", (None, None, None))),
            ]
        )
    return format_table(rows)


def fill_page(page: str, record: Record) -> str:
    """Return the results page with its table put in anew.

    Args:
        page: Markdown with a place for the table `tokens`, as of ``fill_tables``.
        record: as of ``compute_claims``.
    """
    return fill_tables(page, {"tokens": render_table(record)})


def format_claim(record: Record) -> str:
    """Return the claim, as in "20 % fewer tokens than GRPO (ratio 0.80, 95 % CI 0.72-0.90)"."""
    cost = record["five-policies"]["round-13"]["relative_tokens"]["100%"]
    value, low, high = (cost[key] for key in ("value", "low", "high"))
    fewer = f"{100 * (1 - value):.0f} % fewer tokens than GRPO"
    return f"{fewer} (ratio {value:.2f}, 95 % CI {low:.2f}-{high:.2f})"


def main() -> int:
    """Write the record and the page's table."""
    record = compute_claims()
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(fill_page(PAGE.read_text("utf-8"), record), encoding="utf-8")
    print(f"{RECORD} and the table of {PAGE} are written; the claim: {format_claim(record)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
