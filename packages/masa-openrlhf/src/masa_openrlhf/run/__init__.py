"""The life of a run: its folder, its processes, what a person sees of it."""
