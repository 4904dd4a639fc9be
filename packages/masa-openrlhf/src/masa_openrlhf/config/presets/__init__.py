"""Configurations to start from, a TOML file each."""
