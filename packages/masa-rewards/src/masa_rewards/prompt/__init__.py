"""The meta prompt: how a prediction is asked for, and how a model's answer is read."""
