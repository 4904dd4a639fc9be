"""How aware are pretrained models of themselves before training? See docs/results/awareness.md.

python -m masa_benchmarks.awareness problems --gsm8k test.jsonl --math math.parquet --out FILE
masa-openrlhf eval MODEL --like .../awareness/asking.toml --meta --problems FILE ...
python -m masa_benchmarks.awareness record NAME=EVALUATION ... --out docs/data/awareness.json
python -m masa_benchmarks.awareness table docs/data/awareness.json
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from masa_benchmarks.awareness.figures import compute_figures
from masa_benchmarks.awareness.problems import collect_problems, write_problems
from masa_benchmarks.awareness.record import read_evaluation, read_record
from masa_benchmarks.awareness.tables import render_table
from masa_benchmarks.markdown import fill_tables


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the three commands."""
    parser = argparse.ArgumentParser(prog="python -m masa_benchmarks.awareness")
    commands = parser.add_subparsers(dest="command", required=True)
    problems = commands.add_parser("problems", help="collect the questions")
    problems.add_argument("--gsm8k", type=Path, required=True, help="test.jsonl of GSM8K")
    problems.add_argument("--math", type=Path, required=True, help="MATH as parquet, with levels")
    problems.add_argument("--out", type=Path, required=True)
    record = commands.add_parser("record", help="shorten evaluations to a few numbers a question")
    record.add_argument("evaluations", nargs="+", metavar="NAME=FOLDER")
    record.add_argument("--out", type=Path, required=True)
    table = commands.add_parser("table", help="print the table of a record")
    table.add_argument("record", type=Path)
    table.add_argument("--page", type=Path, help="put it into this page, between its marks")
    return parser


def render_record(record: Path) -> str:
    """Return the table of a record."""
    models = read_record(record)
    return render_table(
        [model.name for model in models], [compute_figures(model) for model in models]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns its exit status."""
    options = make_parser().parse_args(arguments)
    if options.command == "problems":
        write_problems(options.out, collect_problems(options.gsm8k, options.math))
    elif options.command == "record":
        found = [each.partition("=") for each in options.evaluations]
        rows = [
            read_evaluation(Path(folder), name).model_dump(mode="json") for name, _, folder in found
        ]
        options.out.write_text(json.dumps(rows, separators=(",", ":")) + "\n", encoding="utf-8")
    else:
        table = render_record(options.record)
        if options.page is None:
            print(table)
        else:
            page = options.page.read_text(encoding="utf-8")
            filled = fill_tables(page, {"awareness": table})
            options.page.write_text(filled, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
