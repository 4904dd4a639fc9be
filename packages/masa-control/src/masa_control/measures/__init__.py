"""How good predictions and decisions are: audits, confusion counts, calibration, metrics."""
