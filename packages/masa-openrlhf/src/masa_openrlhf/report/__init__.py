"""The report of a run, or of several that are compared: one page, and its figures beside it."""
