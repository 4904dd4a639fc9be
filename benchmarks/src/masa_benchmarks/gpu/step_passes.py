"""Do the passes of a training micro-batch take the memory that fake tensors foretell?"""

from __future__ import annotations

from typing import Any

from masa_benchmarks.gpu.step import MissingPackage, StepRecord, run_script


def check_passes(found: StepRecord) -> None:
    """Qwen3-8B with eight of its layers, 16,384 packed tokens: peak, forecast and time."""
    try:
        import transformers  # noqa: F401
    except ImportError as error:
        raise MissingPackage("no transformers") from error
    import torch
    from masa_openrlhf.gpu import attention, log_probs, memory
    from masa_openrlhf.plan.shapes import ModelShape

    small = ModelShape(64, 2, 4, 2, 128, vocabulary=1000, head=16)
    large = ModelShape(4096, 8, 32, 8, 12_288)
    shape, tokens = (small, 512) if found.small else (large, 16_384)
    parameters, foretold = memory.measure_peak(shape, tokens, chunked=True)
    found.figure("parameters", parameters)
    found.figure("foretold, GiB", foretold / 2**30)
    attention.register_attention()
    with torch.device(found.device):
        model = memory.make_shape_model(shape, attention.ATTENTION_NAME)
    log_probs.prepare_head(model)
    lengths = [tokens // 4] * 4
    places = torch.cat([torch.arange(n) for n in lengths])[None].to(found.device)
    ids = torch.randint(0, shape.vocabulary, (1, tokens), device=found.device)
    _run_passes(model, ids, places, log_probs)  # kernels are chosen, workspaces made
    if found.device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        held = torch.cuda.memory_allocated()
    with found.timed("forward and backward, s"):
        _run_passes(model, ids, places, log_probs)
    found.figure("tokens", tokens)
    if found.device == "cuda":
        peak = torch.cuda.max_memory_allocated() - held
        found.figure("seen, GiB", peak / 2**30)
        found.check("within 10 % of what was foretold", abs(peak / foretold - 1) < 0.1)


def _run_passes(model: Any, ids: Any, places: Any, log_probs: Any) -> None:
    head = model.get_output_embeddings()
    with log_probs.ask_log_probs(head, ids, temperature=1.0, entropy=False):
        output = model(ids, attention_mask=None, position_ids=places)
    output["logits"][..., 0].sum().backward()


if __name__ == "__main__":
    run_script(check_passes)
