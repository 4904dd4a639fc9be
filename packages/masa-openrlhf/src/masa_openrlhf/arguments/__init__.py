"""The settings as OpenRLHF's own arguments, and what is refused before a run starts."""
