"""The subclasses that put episodes into OpenRLHF's trainer.

Importing any module of this folder first makes the process ready for the stack: what OpenRLHF,
DeepSpeed and vLLM take for granted of the machine (a GPU; or on one, flash-attn and nvcc) is put
right before the first import of ``openrlhf``. Nothing outside this folder imports the stack when it
is imported itself, so that the command line answers at once.
"""

from masa_openrlhf import cpu, gpu

if cpu.is_active():
    cpu.activate()
else:
    gpu.activate()
