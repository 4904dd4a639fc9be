"""vLLM's layers multiply by the weights that came last. In a process of its own: it is patched."""

import os
import subprocess
import sys

CODE = """
import torch
from types import SimpleNamespace
from masa_openrlhf.cpu import bfloat16
from masa_openrlhf.cpu.linear import LARGE, PackedLinear, forget_packed, keep_weights
from masa_openrlhf.cpu.sampling import install_sampler
from vllm.v1.sample.ops.topk_topp_sampler import TopKTopPSampler

class Layer(torch.nn.Module):
    def __init__(self, rows, columns):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.randn(rows, columns).bfloat16(), requires_grad=False)

torch.manual_seed(0)
large, small = Layer(640, 512), Layer(64, 64)
for layer in (large, small):
    keep_weights(layer, remove_weight=True)
assert isinstance(large.cpu_linear, PackedLinear) == bfloat16.has_native_bfloat16()
assert small.cpu_linear is torch.nn.functional.linear
model = torch.nn.ModuleList([large, small])
x = torch.randn(7, 512).bfloat16()

def is_right():
    wanted = x.float() @ large.weight.float().t()
    found = large.cpu_linear(x, large.weight, None).float()
    return torch.allclose(found, wanted, rtol=0.02, atol=0.3)

assert is_right()
large.weight.data.copy_(torch.randn(640, 512))  # as load_weights does: in place
forget_packed(model)
assert is_right()
large.weight.data = torch.randn(640, 512).bfloat16()  # or another tensor
forget_packed(model)
assert is_right()

install_sampler()
install_sampler()
logits = torch.randn(5, 5000)
for mode in ("raw_logprobs", "processed_logprobs"):
    sampler = TopKTopPSampler(mode)
    seeded = {row: torch.Generator().manual_seed(row) for row in range(5)}
    drawn, logprobs = sampler.forward_cpu(logits.clone(), seeded, None, None)
    assert drawn.shape == (5,)
    if mode == "processed_logprobs":
        assert torch.allclose(logprobs, logits.log_softmax(-1), atol=1e-5)
        assert drawn.tolist() == before.tolist()
    before = drawn
print("all is right")
"""


def test_a_layer_multiplies_by_the_weights_that_came_last():
    environment = {**os.environ, "VLLM_TARGET_DEVICE": "cpu", "TORCHDYNAMO_DISABLE": "1"}
    ended = subprocess.run(
        [sys.executable, "-c", CODE], env=environment, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    assert "all is right" in ended.stdout
