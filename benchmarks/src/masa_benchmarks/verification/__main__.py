"""The verifier beside plain math-verify: see docs/reference/benchmarks.md."""

from __future__ import annotations

import sys

from masa_benchmarks.verification.command import main

if __name__ == "__main__":
    sys.exit(main())
