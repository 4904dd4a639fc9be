"""What our own code takes of a step: `python -m masa_benchmarks.overhead`."""
