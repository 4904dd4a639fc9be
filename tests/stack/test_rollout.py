"""What is asked of vLLM for the rollouts of an episode, and what an engine is started with."""

import asyncio
from types import SimpleNamespace

import pytest
from masa_control import Problem, Stopwatch
from masa_openrlhf.config.layers import build_config
from masa_openrlhf.config.tree import TrainConfig


@pytest.fixture(scope="module")
def rollout(importable_here):
    from masa_openrlhf.stack import rollout

    return rollout


def test_rollouts_stop_at_the_end_of_a_turn_too(rollout):
    from masa_openrlhf.data.prompts import PromptEncoder
    from masa_openrlhf.tiny.tokenizer import make_tokenizer
    from vllm import SamplingParams

    base = make_tokenizer()
    base.eos_token = "<|pad|>"  # as a base model's: not what its chat form ends a turn with
    asked = []

    async def generate(ids, params):
        asked.append(params)
        return SimpleNamespace(outputs=[])

    config = TrainConfig()
    phase = rollout.Phase("train", 1)
    actor = SimpleNamespace(masa=config, phase=phase, generate=generate, requests=[])
    for tokenizer in (base, make_tokenizer()):
        problem = Problem(id="1", text="2 + 2", answer="4")
        prompts = PromptEncoder(tokenizer, config)
        engine = rollout._Engine(actor, SamplingParams(), prompts, problem, Stopwatch())
        asyncio.run(engine.generate([1], max_tokens=5, n=2, kind="meta"))
    end = base.convert_tokens_to_ids("<|end|>")
    assert [params.stop_token_ids for params in asked] == [[end], []]


def test_an_engine_on_a_gpu_takes_what_its_cache_holds(rollout):
    """vLLM's own limits for an engine that is no server are 128 sequences and 2,048 tokens."""
    found = rollout._build_gpu_arguments(TrainConfig())
    assert (found["max_num_seqs"], found["max_num_batched_tokens"]) == (512, 8192)
    config = build_config({"cluster": {"engine_sequences": 64, "engine_tokens": 4096}})
    found = rollout._build_gpu_arguments(config)
    assert (found["max_num_seqs"], found["max_num_batched_tokens"]) == (64, 4096)


@pytest.mark.parametrize("method", ["update_weight", "update_weight_cuda_ipc"])
def test_receiving_weights_says_nothing_and_hides_no_error(
    importable_here, monkeypatch, capfd, method
):
    """OpenRLHF prints a line a parameter; its method is reached, to where it wants a GPU."""
    import torch
    from masa_openrlhf.weights.worker import GpuWorker

    made = GpuWorker()
    made.model_config = SimpleNamespace(dtype=torch.bfloat16)
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 0)
    with pytest.raises(AssertionError, match=r"mismatch dtype: src torch\.float16"):
        getattr(made, method)("lm_head.weight", dtype=torch.float16, shape=(2, 2))
    assert "update weight" not in capfd.readouterr().out
