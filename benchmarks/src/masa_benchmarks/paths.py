"""Where the files are that several benchmarks read."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
"""Of the repository: the benchmarks run from its tree."""
LOCK = ROOT / "uv.lock"
HOSTILE = ROOT / "tests" / "masa_rewards" / "hostile_cases.json"
MATH = ROOT.parent / "shared" / "data" / "math_train.parquet"
"""The MATH training set, where no other file is named."""
NOTION_NAMES = HERE / "notion_names.txt"
