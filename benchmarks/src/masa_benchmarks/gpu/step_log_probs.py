"""Are log-probabilities in chunks those of whole logits, and how much memory do both take?"""

from __future__ import annotations

from typing import Any

from masa_benchmarks.gpu.step import StepRecord, run_script


def reference_log_probs(hidden: Any, weight: Any, labels: Any) -> Any:
    """As OpenRLHF has it without flash-attn: all logits in float32."""
    import torch

    logits = torch.nn.functional.linear(hidden, weight).to(torch.float32)
    return logits.gather(-1, labels[..., None])[..., 0] - logits.logsumexp(-1)


def check_log_probs(found: StepRecord) -> None:
    """Values, gradients, peaks of memory and time, at the size of Qwen3-8B's last layer."""
    import torch
    from masa_openrlhf.gpu import log_probs as chunked

    tokens, hidden_size, vocabulary = (64, 32, 500) if found.small else (8192, 4096, 151_936)
    if found.small:
        chunked.CHUNK_BYTES = 4 * vocabulary * 10
    torch.manual_seed(0)
    hidden = torch.randn(1, tokens, hidden_size, device=found.device, dtype=torch.bfloat16)
    weight = torch.randn(vocabulary, hidden_size, device=found.device, dtype=torch.bfloat16)
    leaves = [hidden.requires_grad_(), weight.mul_(0.02).requires_grad_()]
    labels = torch.randint(0, vocabulary, (1, tokens), device=found.device)
    pull = torch.randn(1, tokens, device=found.device)

    def ours() -> Any:
        return chunked.compute_log_probs(*leaves, None, labels, entropy=False)[..., 0]

    seen = {}
    for name, way in (("in chunks", ours), ("whole", lambda: reference_log_probs(*leaves, labels))):
        way()
        if found.device == "cuda":
            torch.cuda.reset_peak_memory_stats()
            before = torch.cuda.memory_allocated()
        with found.timed(f"{name}: forward and backward, s"):
            values = way()
            gradients = torch.autograd.grad(values, leaves, pull)
        if found.device == "cuda":
            peak = torch.cuda.max_memory_allocated() - before
            found.figure(f"{name}: peak, GiB", peak / 2**30)
        seen[name] = (values.detach(), *gradients)
        del values, gradients
    for name, mine, stock in zip(("values", "dh", "dw"), *seen.values(), strict=True):
        off = float((mine.float() - stock.float()).norm() / stock.float().norm())
        found.figure(f"{name}: relative difference", off)
        found.check(f"{name} within 1 % of whole logits", off < 0.01)


if __name__ == "__main__":
    run_script(check_log_probs)
