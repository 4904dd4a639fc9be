"""MASA."""
