"""Make this process ready for the stack; call before the first import of ``openrlhf``."""

from __future__ import annotations

from masa_openrlhf import cpu, gpu


def activate() -> None:
    """Put right what the stack takes for granted of the machine: no GPU, or one without nvcc."""
    if cpu.is_active():
        cpu.activate()
    else:
        gpu.activate()
