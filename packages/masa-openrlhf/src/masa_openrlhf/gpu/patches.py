"""Make OpenRLHF and DeepSpeed run on GPUs without flash-attn and without a compiler for CUDA.

Called by the modules of our Ray actors before they import OpenRLHF, in each process of a run.
``tests/masa_openrlhf/test_gpu_contract.py`` holds what is replaced, and what that relies on.
"""

from __future__ import annotations

_done = False


def activate() -> None:
    """Put what a GPU run needs in its places; a second call does nothing."""
    global _done
    if _done:
        return
    _done = True
    from masa_openrlhf.gpu.padding import load_flash_attn_user

    load_flash_attn_user()
    from masa_openrlhf.gpu import actor, adam, attention

    attention.register_attention()
    adam.install_adam()
    actor.install_actor()
