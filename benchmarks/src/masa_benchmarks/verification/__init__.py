"""The verifier beside plain math-verify: `python -m masa_benchmarks.verification`."""
