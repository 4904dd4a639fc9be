"""Readers: who says how likely a problem is to be solved, and how sure that is."""
