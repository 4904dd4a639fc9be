"""What OpenRLHF's parser takes and a run would get wrong, in settings and in flags of OpenRLHF."""

from pathlib import Path

import pytest
from masa_openrlhf.arguments.build import build_arguments
from masa_openrlhf.arguments.parse import (
    OpenRLHFArgumentError,
    collect_openrlhf_flags,
    parse_arguments,
)
from masa_openrlhf.config.layers import ConfigError, apply_flags, build_config, read_preset
from masa_openrlhf.config.presets import list_presets
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.run.folder import RunFolder

pytest.importorskip("openrlhf", reason="the stack is not installed: masa-openrlhf[cpu]")


def parsed(config, on_cpu=False):
    return parse_arguments(
        build_arguments(config, RunFolder(Path("run")), cpu=on_cpu, resume=False)
    )


OURS = ("--cluster", "--model", "--mode", "--algorithm", "--gate", "--optim", "--experts")


def preset(name, *flags):
    settings = read_preset(name)
    if any(flag.startswith(OURS) for flag in flags):
        return apply_flags(build_config(settings), list(flags))
    return build_config(
        {**settings, "openrlhf": collect_openrlhf_flags(flags)}
    )  # in a tenth of the time


REFUSED = [
    # flags, what is said of them, the way out
    ("--ds.zero_stage 0", "ZeRO 1, 2 and 3", "cluster.zero_stage = 3"),
    ("--ds.zero_stage 1", "cannot leave the GPU", "cluster.zero_stage = 3"),
    ("--cluster.zero-stage 1", "cannot leave the GPU", "cluster.zero_stage = 3"),
    ("--ds.tensor_parallel_size 2", "by shards", "cluster.tensor_parallel"),
    ("--ds.lora.rank 8", "adapters", "drop it"),
    ("--ds.load_in_4bit", "4-bit", "drop it"),
    ("--ds.param_dtype fp16", "fp16.*bfloat16", "ds.param_dtype bf16"),
    ("--actor.optim muon", "Muon", "actor.optim adam"),
    ("--ds.ring_attn_size 2", "ring-flash-attn", "drop it"),
    ("--ds.use_liger_kernel", "Liger", "drop it"),
    ("--train.enable_ema", "average", "drop it"),
    ("--ckpt.save_hf", "never be removed", "model/"),
    ("--ckpt.disable_ds", "nothing to go on from", "checkpoint.every"),
    ("--ds.zpg 2", "ds.zpg 2", "drop it"),
    ("--ds.deepcompile", "ds.deepcompile", "drop it"),
    ("--actor.entropy_coef 0", "entropy", "drop it"),
    ("--actor.entropy_coef 0.01", "fillers", "drop it"),
    ("--algo.kl.use_loss --algo.kl.init_coef 0.01", "KL loss", "algo.kl.init_coef"),
    ("--algo.kl.target 6 --algo.kl.init_coef 0.01", "fillers count", "algo.kl.init_coef"),
    ("--algo.advantage.gamma 0.9", "not discounted", "drop it"),
    ("--algo.advantage.no_std_norm", "no effect", "dr_grpo"),
    ("--reward.normalize_enable", "reward models", "drop it"),
    ("--actor.eps_clip 0.3", "no effect", "optim.clip_low"),
    ("--train.max_epochs 2", "max_epochs 2", "optim.updates_per_step"),
    ("--model.attention sdpa", "'sdpa' cannot take packed", "cluster.pack = false"),
    ("--ds.attn_implementation eager", "'eager' cannot take packed", "cluster.pack = false"),
    ("--model.attention kernels-community/flash-attn2", "cannot take packed", "flash_attention_2"),
    ("--cluster.engines 4", r"1 x 8.*\(4 x 1\)", "leave cluster.engines unset"),
    ("--cluster.nodes 2 --cluster.engines 8", r"2 x 8.*\(8 x 1\)", "leave cluster.engines unset"),
    (
        "--cluster.no-pack --train.micro_batch_size 5",
        "3072 sequences.*micro-batches of 5",
        "batch.train_micro",
    ),
    ("--actor.lr_scheduler cosin", "cosin", "optim.schedule"),
    ("--actor.dual_clip 0.5", "above 1", "dual_clip 0.5"),
    ("--algo.advantage.is_correction_gating tv", "tv at level token", "is_correction_mode mask"),
    (
        "--algo.advantage.is_correction_gating tv --algo.advantage.is_correction_mode mask",
        "upper bound",
        "one number",
    ),
    ("--reward.overlong_buffer_len 9000", "9000", "solution.max_tokens"),
    ("--reward.stop_properly_penalty_coef 2", "2.0", "not be above 1"),
]


@pytest.mark.parametrize(("flags", "reason", "way_out"), REFUSED, ids=[r[0] for r in REFUSED])
def test_it_is_refused_with_the_reason_and_the_way_out(flags, reason, way_out):
    config = preset("qwen3-8b", *flags.split())
    with pytest.raises(OpenRLHFArgumentError, match=reason) as refused:
        parsed(config)
    assert way_out in str(refused.value)


ACCEPTED = [
    "--cluster.zero-stage 2",
    "--ds.zero_stage 2",
    "--cluster.zero-stage 1 --ds.grad_accum_dtype bf16",
    "--actor.policy_loss_type gspo",
    "--actor.loss_agg_mode seq-mean-token-mean",
    "--cluster.no-pack --model.attention sdpa",
    "--cluster.no-pack --cluster.zero-stage 2",
    "--algo.kl.init_coef 0.01",
    "--algo.kl.init_coef 0.01 --cluster.nodes 2 --cluster.gpus-per-node 4",
    "--cluster.nodes 2",
    "--cluster.gpus-per-node 4",
    "--cluster.tensor-parallel 2",
    "--cluster.nodes 2 --cluster.tensor-parallel 4 --cluster.engines 4",
    "--cluster.no-colocate --cluster.engines 3",
    "--actor.dual_clip 10",
    "--algo.advantage.is_correction_gating tv --algo.advantage.is_correction_mode mask "
    "--algo.advantage.is_correction_threshold 0.1",
]


@pytest.mark.parametrize("flags", ACCEPTED)
def test_it_is_taken(flags):
    assert parsed(preset("qwen3-8b", *flags.split()))


@pytest.mark.parametrize("name", list_presets())
def test_the_presets_are_taken(name):
    assert parsed(preset(name), on_cpu=name == "tiny")


@pytest.mark.parametrize(
    ("flags", "engines"),
    [
        ("", 8),
        ("--cluster.nodes 3", 24),
        ("--cluster.gpus-per-node 4", 4),
        ("--cluster.tensor-parallel 4", 2),
        ("--cluster.no-colocate --cluster.engines 2 --cluster.tensor-parallel 2", 2),
    ],
)
def test_engines_follow_the_gpus(flags, engines):
    config = preset("qwen3-8b", *flags.split())
    assert parsed(config).vllm.num_engines == config.engines == engines


def test_gpus_that_are_no_whole_engines_are_named():
    with pytest.raises(ConfigError, match=r"1 x 8.*no whole engines.*tensor_parallel \(3\)"):
        build_config({"cluster": {"tensor_parallel": 3}})


@pytest.mark.parametrize("more", [[], ["--cluster.no-colocate"]])
def test_a_reference_model_lies_on_the_policys_gpus(more):
    flags = ["--algo.kl.init_coef", "0.1", "--cluster.gpus-per-node", "4", *more]
    args = parsed(preset("qwen3-8b", *flags))
    assert (args.ref.num_nodes, args.ref.num_gpus_per_node) == (1, 4)
    assert args.train.colocate_actor_ref
    assert not parsed(preset("qwen3-8b", *more)).train.colocate_actor_ref


def test_experts_are_not_cloned_by_a_loss_over_whole_sequences():
    flags = ["--actor.policy_loss_type", "gspo", "--mode", "masa-efficient"]
    with pytest.raises(OpenRLHFArgumentError, match=r"gspo.*experts\.batch = 0"):
        parsed(preset("qwen3-8b", *flags))
    assert parsed(preset("qwen3-8b", *flags, "--experts.batch", "0"))


def test_everything_that_is_wrong_is_said_at_once():
    config = preset("qwen3-8b", "--ds.lora.rank", "8", "--ckpt.save_hf", "--cluster.engines", "4")
    with pytest.raises(OpenRLHFArgumentError) as refused:
        parsed(config)
    assert str(refused.value).count("\n  - ") == 3


def test_the_defaults_train_on_gpus():
    """The example of the package's README is these, with names of data."""
    args = parsed(TrainConfig.model_validate({"model": {"path": "Qwen/Qwen3-8B-Base"}}))
    assert (args.ds.zero_stage, args.train.dynamic_batch_enable) == (3, True)


def test_a_schedule_that_ends_needs_to_know_where():
    for flags in (["--algorithm", "dapo"], ["--mode", "masa-efficient", "--gate.refill"]):
        falling = preset("qwen3-8b", *flags, "--optim.schedule", "cosine")
        with pytest.raises(OpenRLHFArgumentError, match=r"'cosine' falls.*set max_steps"):
            parsed(falling)
        assert parsed(preset("qwen3-8b", *flags))  # constant after a warm-up
        ends = preset("qwen3-8b", *flags, "--optim.schedule", "cosine", "--max-steps", "200")
        assert parsed(ends).train.num_episodes == 200  # passes, as many as are needed
    falling = preset("qwen3-8b", "--algorithm", "dapo", "--actor.lr_scheduler", "linear")
    with pytest.raises(OpenRLHFArgumentError, match="'linear' falls"):
        parsed(falling)
    assert parsed(preset("qwen3-8b", "--optim.schedule", "cosine")).train.num_episodes == 1
