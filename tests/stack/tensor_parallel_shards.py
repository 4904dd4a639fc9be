"""An engine of two workers, one of which loses an update; how its weights then compare.

Started as ``python tensor_parallel_shards.py FOLDER``; prints ``FOUND`` and what was found as JSON.
"""

import json
import os
import sys
from pathlib import Path

from masa_openrlhf import cpu


def spoil_second(worker):
    """On the second worker, change a little of its part of one matrix."""
    import torch.distributed as dist

    if dist.get_rank() == 1:
        layer = worker.model_runner.model.model.layers[1]
        layer.mlp.down_proj.weight.data[0, 0] += 1.0


def find(folder):
    from masa_openrlhf.tiny.model import make_model
    from masa_openrlhf.tiny.tokenizer import make_tokenizer
    from masa_openrlhf.weights.digest import compare_weights, digest_tensor
    from masa_openrlhf.weights.shards import add_shards
    from vllm import LLM

    tokenizer = make_tokenizer()
    model = make_model(tokenizer, 1).bfloat16()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    ours = {name: digest_tensor(p) for name, p in model.named_parameters()}
    engine = LLM(
        str(folder),
        dtype="bfloat16",
        enforce_eager=True,
        max_model_len=128,
        tensor_parallel_size=2,
        **cpu.build_engine_arguments(2),
    )
    shards = engine.collective_rpc("weight_digest")
    found = {
        "workers": len(shards),
        "alone": compare_weights(ours, shards[0])._asdict(),
        "whole": compare_weights(ours, add_shards(shards))._asdict(),
    }
    engine.collective_rpc(spoil_second)
    spoilt = add_shards(engine.collective_rpc("weight_digest"))
    return {**found, "spoilt": compare_weights(ours, spoilt)._asdict()}


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    os.environ.update(cpu.environment(folder / "cache"))
    os.environ["VLLM_ALLOW_INSECURE_SERIALIZATION"] = "1"  # as OpenRLHF's engines have it
    print("FOUND", json.dumps(find(folder / "model")))
