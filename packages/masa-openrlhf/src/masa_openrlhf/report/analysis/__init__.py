"""The numbers behind a report: curves, bands, intervals, Shapley values."""
