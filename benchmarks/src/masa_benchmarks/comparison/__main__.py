"""GRPO, MASA and MASA-efficient side by side on the real stack: see docs/results/index.md."""

from __future__ import annotations

import sys

from masa_benchmarks.comparison.command import main

if __name__ == "__main__":
    sys.exit(main())
