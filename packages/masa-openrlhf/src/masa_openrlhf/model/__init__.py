"""The policy's model: a folder, a name on the hub, or a GGUF file.

- ``source``: is there a model of that name, with a tokenizer and weights?
- ``gguf``: a GGUF file as a folder that the stack can train, converted once.
"""
