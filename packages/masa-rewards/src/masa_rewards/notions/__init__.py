"""Notions: where a named idea occurs in a text, which notions count, and the notion reward."""
