"""States by arithmetic, what moves off the GPU, and how an engine and a node are filled."""

from dataclasses import replace

import pytest
from masa_openrlhf.plan.cards import GIB
from masa_openrlhf.plan.memory import (
    ENGINE_CONTEXT,
    POLICY_CONTEXT,
    estimate_engine,
    estimate_phases,
)
from masa_openrlhf.plan.node import estimate_node

from tests.masa_openrlhf.plan.plans import set_up

P = 8_190_735_360


def phases(setup):
    return {phase.phase: phase for phase in estimate_phases(setup)}


def test_zero_3_divides_weights_gradients_and_optimiser_over_the_ranks():
    found = phases(set_up("qwen3-8b"))
    assert list(found) == ["generate", "score", "train", "digest", "resume"]
    train = found["train"]
    assert train.parameters == 2 * P / 8
    assert train.optimiser == 12 * P / 8
    assert train.gradients == 4 * P / 8 + 2 * 5e8
    assert found["score"].gradients == found["score"].optimiser == 0  # they lie on the host
    assert found["generate"].parameters == 2 * P + 2 * P / 8
    assert found["resume"].optimiser == 12 * P / 8


@pytest.mark.parametrize(("stage", "gradients"), [(1, 4 + 2 * 4 / 8), (2, 2 * 4 / 8)])
def test_lower_stages_keep_whole_weights_and_more_gradients(stage, gradients):
    flags = ["--cluster.zero-stage", str(stage), "--cluster.no-colocate"]
    train = phases(set_up("qwen3-8b", *flags))["train"]
    assert train.parameters == 2 * P
    assert train.gradients == pytest.approx(gradients * P + 2 * 5e8)
    assert train.optimiser == 12 * P / 8
    assert train.other == POLICY_CONTEXT  # nothing is gathered


def test_gradients_in_bfloat16_are_half_as_large():
    wide = phases(set_up("qwen3-8b"))["train"].gradients
    narrow = phases(set_up("qwen3-8b", "--ds.grad_accum_dtype", "bf16"))["train"].gradients
    assert wide - narrow == 2 * P / 8


def test_adam_on_the_host_leaves_the_gpu():
    setup = set_up("qwen3-8b", "--ds.adam_offload")
    train = phases(setup)["train"]
    assert (train.optimiser, train.gradients) == (0, 2 * 5e8)
    alone = set_up("qwen3-8b", "--ds.adam_offload", "--cluster.no-colocate")
    assert estimate_node(alone).pinned == pytest.approx(16 * P)


def test_a_reference_model_lies_beside_the_policy():
    policy = phases(set_up("qwen3-8b"))["score"].parameters
    both = set_up("qwen3-8b", "--algo.kl.init_coef", "0.01")
    assert phases(both)["score"].parameters == 2 * policy
    away = set_up("qwen3-8b", "--algo.kl.init_coef", "0.01", "--ref.offload")
    assert phases(away)["score"].parameters == policy


def test_apart_an_engine_and_the_policy_do_not_share_a_gpu():
    found = phases(set_up("qwen3-8b", "--cluster.no-colocate"))
    assert found["generate"].parameters == 2 * P
    assert found["digest"].parameters == 2 * P / 8
    shared = phases(set_up("qwen3-8b"))
    assert shared["train"].other - found["train"].other == ENGINE_CONTEXT


def test_a_sequence_longer_than_a_micro_batch_goes_alone():
    assert set_up("qwen3-8b", "--batch.max-tokens-per-gpu", "4096").longest_batch == 2048 + 8192
    assert set_up("qwen3-8b").longest_batch == 16_384


def test_the_cache_is_what_the_share_leaves():
    setup = set_up("qwen3-8b")
    engine, generate = estimate_engine(setup), phases(setup)["generate"]
    assert engine.cache_tokens == pytest.approx(generate.cache / setup.shape.cache_bytes, abs=1)
    assert setup.shape.cache_bytes == 2 * 2 * 36 * 8 * 128
    more = estimate_engine(set_up("qwen3-8b", "--cluster.gpu-memory", "0.9"))
    gained = more.cache_tokens - engine.cache_tokens
    assert gained == pytest.approx(0.05 * setup.card.memory / setup.shape.cache_bytes, abs=1)


def test_key_heads_are_divided_no_further_than_there_are():
    def tokens(spans):
        flags = ["--cluster.tensor-parallel", str(spans), "--cluster.nodes", "2"]
        setup = set_up("qwen3-8b", *flags)
        return estimate_engine(replace(setup, shape=replace(setup.shape, key_heads=2)))

    assert tokens(2).cache_tokens > 1.5 * tokens(1).cache_tokens
    assert tokens(4).cache_tokens < 1.2 * tokens(2).cache_tokens  # weights alone are divided


def test_an_engine_works_on_no_more_sequences_than_it_may():
    setup = set_up("qwen3-0.6b", "--cluster.engine-sequences", "16", card="h200")
    assert estimate_engine(setup).sequences == 16


def test_a_node_holds_what_sleeps():
    setup = set_up("qwen3-8b")
    node = estimate_node(setup)
    assert node.pinned == pytest.approx(8 * 2 * P + 16 * P)
    assert node.host == node.pinned + node.processes + node.shared
    assert node.checkpoint == 14 * P
    assert node.checkpoints == 14 * P * setup.config.checkpoint.keep + 2 * P
    two = estimate_node(set_up("qwen3-8b", "--cluster.nodes", "2"))
    assert two.pinned == pytest.approx(8 * 2 * P + 16 * P / 2)
    assert node.shared > 1 * GIB
