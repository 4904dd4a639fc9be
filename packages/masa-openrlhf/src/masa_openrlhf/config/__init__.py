"""The settings of a training run: their tree, presets, and the layers they come from."""
