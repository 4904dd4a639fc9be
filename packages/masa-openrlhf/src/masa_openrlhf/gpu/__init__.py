"""What a GPU run would have to compile, and what keeps it within a card's memory.

- ``patches``: what ``activate`` sets right, called before our Ray actors import OpenRLHF;
- ``attention``: packed sequences by torch's own kernel, where flash-attn is not installed;
- ``adam``: torch's fused AdamW in the place of DeepSpeed's, which nvcc would compile;
- ``log_probs``, ``actor``: log-probabilities in chunks, never all logits at once;
- ``variables``: those that every process must see;
- ``machine``: driver, cards, compiler and shared memory, looked at before anything starts;
- ``cluster``: whether Ray has the GPUs that the run asks for;
- ``memory``: what a training step needs of a card, found without one;
- ``check``: how far a GPU run gets on this machine (``make check-cluster``).
"""

from masa_openrlhf.gpu.patches import activate
from masa_openrlhf.gpu.variables import environment

__all__ = ["activate", "environment"]
