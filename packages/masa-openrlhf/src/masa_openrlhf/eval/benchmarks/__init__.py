"""The benchmarks: their entries, and how their rows are read."""
