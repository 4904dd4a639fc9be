"""What our own code takes of a step: see docs/reference/overhead.md."""

from __future__ import annotations

import sys

from masa_benchmarks.overhead.command import main

if __name__ == "__main__":
    sys.exit(main())
