"""Brings the notations that people use into the one that the comparison reads."""
