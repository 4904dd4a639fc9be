"""What sleep keeps beside Adam's moments is in no checkpoint, by DeepSpeed's own offload code."""

import socket

import pytest

# torch renames collectives that DeepSpeed calls.
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")


@pytest.fixture(scope="module")
def deepspeed(importable_here):
    """DeepSpeed in this process, one rank, with a class in the place of its compiled Adam.

    It takes states off the device for an optimiser of that very class alone.
    """
    import deepspeed
    import torch
    from deepspeed.ops.adam import fused_adam
    from masa_openrlhf.stack import policy  # noqa: F401  # puts right what DeepSpeed takes of CUDA

    class Adam(torch.optim.AdamW):
        pass

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fused_adam, "FusedAdam", Adam)
        shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "RANK": "0"}
        for name, value in {**shared, "WORLD_SIZE": "1", "LOCAL_RANK": "0"}.items():
            patch.setenv(name, value)
        deepspeed.init_distributed("gloo")
        yield deepspeed, Adam
        torch.distributed.destroy_process_group()


def engine(deepspeed, stage):
    import torch

    module, adam = deepspeed
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(16, 16), torch.nn.Linear(16, 4)).bfloat16()
    made, *_ = module.initialize(
        model=model,
        optimizer=adam(model.parameters(), lr=1e-2),
        config={
            "train_micro_batch_size_per_gpu": 1,
            "gradient_accumulation_steps": 1,
            "bf16": {"enabled": True},
            "zero_optimization": {"stage": stage},
            "zero_allow_untested_optimizer": True,
        },
    )
    return made


def learn(made):
    import torch

    torch.manual_seed(made.global_steps)
    loss = made(torch.randn(4, 16).bfloat16()).float().pow(2).mean()
    made.backward(loss)
    made.step()


def offload(made):
    from deepspeed.runtime.zero.offload_config import OffloadDeviceEnum, OffloadStateTypeEnum

    made.optimizer.offload_states(
        include=[OffloadStateTypeEnum.optim_states],
        device=OffloadDeviceEnum.cpu,
        pin_memory=False,
    )


def keys(made):
    return {key for state in made.optimizer.optimizer.state.values() for key in state}


def weights(made):
    import torch

    flat = made.optimizer.fp32_partitioned_groups_flat
    return torch.cat([part.detach().flatten() for part in flat])


BUFFERS = {"exp_avg_offload_buffer", "exp_avg_sq_offload_buffer"}


def test_a_checkpoint_written_asleep_holds_no_buffers(deepspeed, tmp_path):
    from masa_openrlhf.stack.offload_buffers import without_offload_buffers

    slept = engine(deepspeed, 3)
    learn(slept)
    offload(slept)
    assert keys(slept) >= BUFFERS
    with without_offload_buffers(slept.optimizer):
        slept.save_checkpoint(str(tmp_path), tag="a")
    assert keys(slept) >= BUFFERS  # the next offload takes them again
    resumed = engine(deepspeed, 3)
    resumed.load_checkpoint(str(tmp_path), "a")
    assert not keys(resumed) & BUFFERS
    offload(resumed)
    assert keys(resumed) >= BUFFERS
    for made in (slept, resumed):
        made.reload_states()
        learn(made)
    assert weights(slept).equal(weights(resumed))


def test_buffers_of_an_earlier_checkpoint_are_left_out(deepspeed, tmp_path):
    """DeepSpeed's own way: they are saved, loaded to where the parameter is, and taken again."""
    from masa_openrlhf.stack.offload_buffers import drop_offload_buffers

    slept = engine(deepspeed, 3)
    learn(slept)
    offload(slept)
    slept.save_checkpoint(str(tmp_path), tag="a")
    resumed = engine(deepspeed, 3)
    resumed.load_checkpoint(str(tmp_path), "a")
    assert keys(resumed) >= BUFFERS, "DeepSpeed no longer saves them: nothing is to be dropped"
    taken = drop_offload_buffers(resumed.optimizer)
    assert {name for _, buffers in taken for name in buffers} == BUFFERS
    assert not keys(resumed) & BUFFERS


@pytest.mark.parametrize("stage", [1, 2, 3])
def test_moments_are_there_once_while_a_checkpoint_is_loaded(
    deepspeed, tmp_path, monkeypatch, stage
):
    """Torch makes the loaded moments before it lets go of those that were there."""
    import torch
    from masa_openrlhf.stack.offload_buffers import free_moments

    trained = engine(deepspeed, stage)
    learn(trained)
    trained.save_checkpoint(str(tmp_path), tag="a")
    resumed, there = engine(deepspeed, stage), []
    load = torch.optim.Optimizer.load_state_dict

    def watch(optimizer, *args):
        there.append({key for state in optimizer.state.values() for key in state})
        load(optimizer, *args)

    monkeypatch.setattr(torch.optim.Optimizer, "load_state_dict", watch)
    free_moments(resumed.optimizer)
    resumed.load_checkpoint(str(tmp_path), "a")
    assert there
    assert not there[0] & {"exp_avg", "exp_avg_sq"}
    for made in (trained, resumed):
        learn(made)
    for ours, theirs in zip(trained.module.parameters(), resumed.module.parameters(), strict=True):
        with deepspeed[0].zero.GatheredParameters([ours, theirs], enabled=stage == 3):
            assert ours.equal(theirs)


def test_the_policy_actor_keeps_to_both_and_takes_our_training_loop(importable_here, monkeypatch):
    """What its parent looks up, and calls, when it loads and when it saves."""
    from types import SimpleNamespace

    from masa_openrlhf.config.tree import TrainConfig
    from masa_openrlhf.stack import policy
    from masa_openrlhf.stack.policy_trainer import PolicyTrainer

    state = {"exp_avg": 1, "exp_avg_offload_buffer": 2}
    inner = SimpleNamespace(state={"p": state})
    model = SimpleNamespace(optimizer=SimpleNamespace(optimizer=inner))
    seen = []

    def load(self, strategy, pretrain, max_steps, vllm_engines=None):
        seen.append(policy.stock.ActorPPOTrainer)
        strategy.load_ckpt(model, "path")
        seen.append(sorted(state))

    def save(self, tag):
        seen.append(sorted(state))

    stock = policy.PolicyModelActor.__ray_metadata__.modified_class
    monkeypatch.setattr(stock, "init_model_from_pretrained", load)
    monkeypatch.setattr(stock, "save_checkpoint", save)
    monkeypatch.setattr(policy.stock, "ActorPPOTrainer", policy.stock.ActorPPOTrainer)
    made = object.__new__(policy.PolicyActor)
    made.masa, made.actor = TrainConfig(), SimpleNamespace(model=model)

    def load_ckpt(model, path):
        seen.append(sorted(state))
        state.update({"exp_avg": 1, "exp_avg_offload_buffer": 2})
        return "path", {}

    strategy = SimpleNamespace(load_ckpt=load_ckpt, args=SimpleNamespace(actor=SimpleNamespace()))
    made.init_model_from_pretrained(strategy, "model", 10)
    assert seen == [PolicyTrainer, ["exp_avg_offload_buffer"], ["exp_avg"]]
    state["exp_avg_offload_buffer"] = 2
    made.save_checkpoint("a")
    assert seen[3:] == [["exp_avg"]]
    assert sorted(state) == ["exp_avg", "exp_avg_offload_buffer"]
