"""The gate in other training stacks; the module of a stack imports it, and nothing else does."""
