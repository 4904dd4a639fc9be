"""Adam without a compiler: torch's fused AdamW under the name of DeepSpeed's.

DeepSpeed compiles its FusedAdam with nvcc in every rank when the run starts, and takes states off
the GPU only for an optimiser of that very class. torch brings a fused AdamW ready made, with the
same arithmetic and the same two moments.
"""

from __future__ import annotations

import sys
from typing import Any

_ADAM_MODULES = (
    "deepspeed.ops.adam.fused_adam",
    "deepspeed.ops.adam",
    "deepspeed.runtime.zero.utils",
)
"""Where DeepSpeed holds its class; ``deepspeed.runtime.engine`` is added once it is loaded."""


def install_adam() -> None:
    """Put torch's AdamW wherever DeepSpeed looks its own up."""
    import deepspeed  # noqa: F401  # loads the places
    from deepspeed.runtime.zero import utils

    ours = make_fused_adam()
    for place in (*_ADAM_MODULES, "deepspeed.runtime.engine"):
        sys.modules[place].FusedAdam = ours  # type: ignore[attr-defined]
    utils.ZERO_SUPPORTED_OPTIMIZERS.append(ours)


def make_fused_adam(*, fused: bool = True) -> Any:
    """Return the class; ``fused`` is a GPU's, and off in tests without one."""
    import torch

    class FusedAdam(torch.optim.AdamW):
        """torch's AdamW, called as DeepSpeed calls its own.

        Args:
            params: parameters, or groups of them.
            lr: learning rate.
            bias_correction: must be left on, as torch has it.
            betas: decay of the two moments.
            eps: added to the denominator.
            adam_w_mode: must be left on: weight decay apart from the gradient.
            weight_decay: as a share of the parameter, times the learning rate.
            amsgrad: must be left off, as in DeepSpeed's.
            set_grad_none: ``zero_grad`` drops gradients; torch's does by default.
        """

        def __init__(
            self,
            params: Any,
            lr: float = 1e-3,
            bias_correction: bool = True,
            betas: tuple[float, float] = (0.9, 0.999),
            eps: float = 1e-8,
            adam_w_mode: bool = True,
            weight_decay: float = 0.0,
            amsgrad: bool = False,
            set_grad_none: bool = True,
        ) -> None:
            if amsgrad or not bias_correction or not adam_w_mode:
                raise ValueError("only AdamW with bias correction, without AMSGrad")
            super().__init__(
                params, lr=lr, betas=tuple(betas), eps=eps, weight_decay=weight_decay, fused=fused
            )

        def load_state_dict(self, state_dict: dict[str, Any]) -> None:
            """Load a checkpoint; one that DeepSpeed's own class wrote has no word of ``fused``."""
            ours = self.param_groups[0]
            groups = [
                {**{k: v for k, v in ours.items() if k != "params"}, **group, "fused": fused}
                for group in state_dict["param_groups"]
            ]
            super().load_state_dict({**state_dict, "param_groups": groups})

    return FusedAdam
