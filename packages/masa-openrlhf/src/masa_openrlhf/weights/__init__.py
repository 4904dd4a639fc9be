"""Receiving the policy's weights in a vLLM worker, and comparing them."""
