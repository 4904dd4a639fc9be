"""Benchmarks of the three packages: each command prints its figures."""
