"""What a person sees of a run while it goes on, and after it.

- ``run_display``: the live table and bar, or a line a step;
- ``columns``: the table's columns, cells and legends;
- ``summary``: what a run learned, from its metrics;
- ``diagnosis``: what a first step says of a run that will learn nothing.
"""
