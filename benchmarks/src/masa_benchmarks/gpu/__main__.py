"""What only a card can show, settled in ten minutes: see the README here."""

from __future__ import annotations

import sys

from masa_benchmarks.gpu.kit import main

if __name__ == "__main__":
    sys.exit(main())
