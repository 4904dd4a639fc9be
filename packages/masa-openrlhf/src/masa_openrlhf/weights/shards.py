"""The digest of an engine's weights where tensor parallelism deals them out to several workers.

A worker holds rows or columns of most matrices, and the whole of what is small. So that the digests
of all workers add up to the model's, what k of them hold counts 1/k on each::

    digest = sum over workers w of  (sum over its elements e of  e / k_e)

With one worker every k is 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from masa_openrlhf.weights.digest import ParameterDigest, digest_tensor


def digest_shard(model: Any) -> dict[str, ParameterDigest]:
    """Return this worker's share of every parameter's digest, by vLLM's names.

    Under tensor parallelism a parameter of a layer that is not told apart here is left out: how
    many workers hold it is not known.

    Args:
        model: vLLM's, in the worker's process.
    """
    from vllm.distributed import get_tensor_model_parallel_world_size

    workers = get_tensor_model_parallel_world_size()
    if workers == 1:
        return {name: digest_tensor(p) for name, p in model.named_parameters()}
    found = {}
    for name, layer, parameter in _list_parameters(model):
        copies = _split_by_copies(layer, name, parameter, workers)
        if copies is not None:
            found[name] = _weigh_digests(copies)
    return found


def add_shards(shards: Sequence[Mapping[str, ParameterDigest]]) -> dict[str, ParameterDigest]:
    """Return the digests of the whole weights, from all workers' shares."""
    return {
        name: ParameterDigest(
            sum(shard[name].total for shard in shards),
            sum(shard[name].absolute for shard in shards),
        )
        for name in shards[0]
    }


def _list_parameters(model: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield name, layer and parameter, each parameter once, as ``named_parameters`` does."""
    seen = set()
    for prefix, layer in model.named_modules():
        for name, parameter in layer.named_parameters(recurse=False):
            if id(parameter) not in seen:
                seen.add(id(parameter))
                yield (f"{prefix}.{name}" if prefix else name), layer, parameter


def _split_by_copies(
    layer: Any, name: str, parameter: Any, workers: int
) -> list[tuple[Any, int]] | None:
    """Return pieces of a parameter, each with the number of workers that hold it.

    None: not known.
    """
    from vllm.model_executor.layers import layernorm, linear
    from vllm.model_executor.layers.vocab_parallel_embedding import VocabParallelEmbedding

    if isinstance(layer, linear.QKVParallelLinear):
        queries = layer.num_heads * layer.head_size
        return [(parameter[:queries], 1), (parameter[queries:], layer.num_kv_head_replicas)]
    if isinstance(layer, linear.RowParallelLinear):
        return [(parameter, workers if name.endswith(".bias") else 1)]
    if isinstance(layer, linear.ColumnParallelLinear | VocabParallelEmbedding):
        return [(parameter, 1)]
    if isinstance(layer, linear.ReplicatedLinear | layernorm.RMSNorm | layernorm.LayerNorm):
        return [(parameter, workers)]
    return None


def _weigh_digests(pieces: Sequence[tuple[Any, int]]) -> ParameterDigest:
    digests = [(digest_tensor(piece), copies) for piece, copies in pieces]
    return ParameterDigest(
        sum(digest.total / copies for digest, copies in digests),
        sum(digest.absolute / copies for digest, copies in digests),
    )
