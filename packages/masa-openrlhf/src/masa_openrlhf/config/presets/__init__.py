"""Configurations to start from, a TOML file each."""

from importlib import resources


def list_presets() -> list[str]:
    """Return the names of the presets."""
    files = resources.files(__name__).iterdir()
    return sorted(file.name[:-5] for file in files if file.name.endswith(".toml"))
