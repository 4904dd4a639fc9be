"""Which half-known names runs of the comparison have decided, and whether rightly.

`python benchmarks/names.py RUN/model [RUN/model ...]`: see docs/results.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from comparison.names import print_names

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", nargs="+", type=Path, help="folders that runs leave")
    print_names(parser.parse_args().models)
