"""What only a card can show: `python -m masa_benchmarks.gpu`."""
