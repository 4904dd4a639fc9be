"""GRPO, MASA and MASA-efficient side by side: `python -m masa_benchmarks.comparison`."""
