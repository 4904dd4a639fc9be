"""Golden runs: what generated inputs come to, kept as files, so that code can be moved.

The files are ``tests/data/golden/*.jsonl``, a line a step or a case. ``tests/test_golden.py`` makes
them anew and compares. They are made by plain Python from seeded generators: no model, no torch, no
clock, so that a line is the same on every machine. Whoever changes a number on purpose writes them
anew, and shows the difference in the commit::

    make golden && git diff --stat tests/data/golden
"""
