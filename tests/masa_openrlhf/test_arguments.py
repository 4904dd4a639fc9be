from pathlib import Path

import pytest
from masa_openrlhf import cpu
from masa_openrlhf.arguments.build import OWNED_ARGUMENTS, build_arguments, compute_train_batch_size
from masa_openrlhf.arguments.parse import OpenRLHFArgumentError, parse_arguments
from masa_openrlhf.config.layers import apply_flags, build_config, read_preset
from masa_openrlhf.config.presets import list_presets
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.run.folder import RunFolder

FOLDER = RunFolder(Path("run"))


def parsed(config, *, on_cpu=False, resume=False):
    return parse_arguments(build_arguments(config, FOLDER, cpu=on_cpu, resume=resume))


@pytest.mark.parametrize("name", list_presets())
@pytest.mark.parametrize("algorithm", ["grpo", "dapo", "dr_grpo"])
def test_openrlhf_takes_every_preset(name, algorithm):
    config = apply_flags(build_config(read_preset(name)), ["--algorithm", algorithm])
    args = parsed(config, on_cpu=name == "tiny")
    assert args.rollout.batch_size == config.batch.problems
    assert args.actor.adam.lr == config.optim.lr
    assert args.actor.eps_clip_low_high == [0.2, 0.28]
    assert args.algo.kl.init_coef == 0
    assert args.algo.dynamic_filtering_enable == (algorithm == "dapo")
    assert args.algo.advantage.estimator == ("dr_grpo" if algorithm == "dr_grpo" else "group_norm")


def test_the_papers_recipe_for_8b():
    args = parsed(build_config(read_preset("qwen3-8b")))
    assert args.train.batch_size == 128 * (16 + 8)
    assert args.data.max_len == 2048 + 8192
    assert args.actor.model_name_or_path == "Qwen/Qwen3-8B-Base"
    assert args.ds.packing_samples
    assert args.train.dynamic_batch_enable
    assert args.train.max_tokens_per_gpu == 16384  # at 32,768 the backward pass needs all of 80 GB
    assert args.train.colocate_all
    assert args.vllm.enable_sleep
    assert args.ds.zero_stage == 3
    assert args.ds.grad_accum_dtype == "fp32"
    assert args.vllm.gpu_memory_utilization == 0.85
    assert (args.vllm.num_engines, args.vllm.tensor_parallel_size) == (8, 1)


def test_gradients_add_up_in_float32_on_gpus_and_as_openrlhf_has_it_on_a_cpu():
    assert parsed(TrainConfig()).ds.grad_accum_dtype == "fp32"
    assert parsed(TrainConfig(), on_cpu=True).ds.grad_accum_dtype is None
    given = apply_flags(TrainConfig(), ["--ds.grad_accum_dtype", "bf16"])
    assert parsed(given).ds.grad_accum_dtype == "bf16"


def test_openrlhf_names_its_own_mistakes():
    config = apply_flags(TrainConfig(), ["--ds.zero_stge", "3"])
    with pytest.raises(OpenRLHFArgumentError, match=r"zero_stge.*did you mean --ds\.zero_stage"):
        parsed(config)
    config = apply_flags(TrainConfig(), ["--ds.param_dtype", "fp8"])
    with pytest.raises(OpenRLHFArgumentError, match="invalid choice: 'fp8'"):
        parsed(config)
    config = apply_flags(TrainConfig(), ["--train.partial_rollout_enable"])
    with pytest.raises(OpenRLHFArgumentError, match="requires --train.async_enable"):
        parsed(config)


def test_a_flag_passes_through_and_wins():
    args = parsed(apply_flags(TrainConfig(), ["--ds.zero_stage", "3", "--actor.adam.lr", "5e-6"]))
    assert (args.ds.zero_stage, args.actor.adam.lr) == (3, 5e-6)


@pytest.mark.parametrize("name", sorted(OWNED_ARGUMENTS))
def test_what_is_ours_to_set_is_refused_with_the_way_out(name):
    config = TrainConfig(openrlhf={name: "1"})
    with pytest.raises(OpenRLHFArgumentError, match=f"{name} is set by"):
        build_arguments(config, FOLDER, cpu=False, resume=False)


def test_asynchronous_training_is_refused():
    with pytest.raises(OpenRLHFArgumentError, match=r"train\.async_enable"):
        build_arguments(
            TrainConfig(openrlhf={"train.async_enable": True}), FOLDER, cpu=False, resume=False
        )


@pytest.mark.parametrize("estimator", ["gae", "reinforce"])
def test_estimators_without_groups_are_refused(estimator):
    config = TrainConfig(openrlhf={"algo.advantage.estimator": estimator})
    with pytest.raises(OpenRLHFArgumentError, match=f"{estimator}.*group_norm, dr_grpo, rloo"):
        build_arguments(config, FOLDER, cpu=False, resume=False)


def test_flags_that_would_do_nothing_are_refused():
    config = TrainConfig(openrlhf={"logger.logging_steps": "5"})
    with pytest.raises(OpenRLHFArgumentError, match="every step is logged"):
        build_arguments(config, FOLDER, cpu=False, resume=False)


def test_a_folder_that_openrlhf_would_split_is_refused():
    with pytest.raises(OpenRLHFArgumentError, match="',' or '@'"):
        build_arguments(TrainConfig(), RunFolder(Path("a,b")), cpu=False, resume=False)


def test_resume_is_passed_on():
    assert parsed(TrainConfig(), resume=True).ckpt.load_enable
    assert not parsed(TrainConfig()).ckpt.load_enable


@pytest.mark.parametrize(
    ("problems", "solutions", "predictions", "ranks", "micro", "updates", "expected"),
    [
        (16, 8, 8, 1, 64, 1, 256),
        (5, 4, 3, 2, 4, 1, 40),  # 35 sequences, in units of 8
        (5, 4, 3, 2, 1, 2, 18),  # 17.5 a step
        (3, 4, 3, 2, 64, 1, 128),  # fewer than a micro-batch a rank
    ],
)
def test_an_optimiser_step_is_whole_micro_batches_on_every_rank(
    problems, solutions, predictions, ranks, micro, updates, expected
):
    config = build_config(
        {
            "batch": {"problems": problems, "train_micro": micro},
            "solution": {"rollouts": solutions},
            "meta": {"rollouts": predictions},
            "cluster": {"gpus_per_node": ranks, "pack": False},
            "optim": {"updates_per_step": updates},
        }
    )
    size = compute_train_batch_size(config)
    assert size == expected
    assert size % (ranks * micro) == 0
    assert size * updates >= problems * (solutions + predictions)
    # What OpenRLHF's packed batches read the number of optimiser steps from.
    args = parsed(config)
    assert args.rollout.batch_size * args.rollout.n_samples_per_prompt >= size * updates


WITH_EXPERTS = {
    "mode": "masa-efficient",
    "batch": {"problems": 5, "train_micro": 4},
    "solution": {"rollouts": 4},
    "meta": {"rollouts": 3},
    "experts": {"batch": 7},
    "cluster": {"gpus_per_node": 2, "pack": False},
}


def test_experts_have_room_in_the_optimiser_step():
    # 35 rollouts and 7 experts, in units of 8: one step, not two.
    assert compute_train_batch_size(build_config(WITH_EXPERTS)) == 48
    assert compute_train_batch_size(build_config({**WITH_EXPERTS, "mode": "masa"})) == 40


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--cluster.pack"], "cluster.pack = false"),
        (["--model.attention", "flash_attention_2"], "sdpa"),
        (["--ds.load_in_4bit"], "4-bit"),
        (["--ds.adam_offload"], "adam_offload"),
        (["--vllm.sync_with_ray"], "gloo"),
        (["--actor.optim", "muon"], "Muon"),
    ],
)
def test_a_cpu_refuses_what_it_cannot_do(flags, message):
    config = apply_flags(build_config(read_preset("tiny")), flags)
    with pytest.raises(ValueError, match=message):
        cpu.refuse_unsupported(parsed(config, on_cpu=True))


def test_a_cpu_takes_the_tiny_preset():
    tiny = parsed(build_config(read_preset("tiny")), on_cpu=True)
    assert cpu.refuse_unsupported(tiny) is None
