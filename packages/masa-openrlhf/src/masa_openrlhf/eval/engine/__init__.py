"""The model under evaluation: what it is, and the vLLM processes that run it."""
