"""What the gate in TRL refuses, before a model is loaded. With TRL itself: test_trl_gate.py."""

from types import SimpleNamespace

import pytest
from masa_control.integrations.trl_contract import OVERRIDDEN, check_methods
from masa_control.integrations.trl_refusals import check_arguments, check_fields, find_reward
from masa_rewards import AnswerVerifier, MetaPrompt
from masa_rewards.integrations.trl import MasaReward


class Trainer:
    """The arguments of `GRPOTrainer` that count."""

    def __init__(
        self,
        model,
        reward_funcs=None,
        args=None,
        tools=None,
        rollout_func=None,
        environment_factory=None,
    ):
        pass


class Unopened(AnswerVerifier):
    """Starts no process."""

    def __init__(self):
        pass


def make_config(**changes):
    usual = {
        "use_vllm": False,
        "vllm_mode": "colocate",
        "vllm_tensor_parallel_size": 1,
        "loss_type": "dapo",
    }
    return SimpleNamespace(**usual | changes)


REWARD = MasaReward(MetaPrompt(), verifier=Unopened())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tools": [print]}, "tools is set.*leave tools out, or train with GRPOTrainer"),
        ({"rollout_func": print}, "rollout_func is set"),
        ({"environment_factory": print}, "environment_factory is set"),
        ({"reward_funcs": [print]}, r"holds 0 MasaReward.*reward_funcs=MasaReward\(prompt\)"),
        ({"reward_funcs": [REWARD, REWARD]}, "holds 2 MasaReward"),
        ({"reward_funcs": None}, "holds 0 MasaReward"),
        (
            {"args": make_config(use_vllm=True, vllm_tensor_parallel_size=2)},
            "vllm_tensor_parallel_size = 2.*set vllm_tensor_parallel_size=1, or vllm_mode='server'",
        ),
        ({"args": make_config(loss_type="bnpo")}, "loss_type = 'bnpo'.*set loss_type='dapo'"),
    ],
)
def test_arguments_that_the_gate_cannot_be_had_with(changes, message):
    given = {"reward_funcs": REWARD, "args": make_config()} | changes
    with pytest.raises(ValueError, match=message):
        check_arguments(Trainer, ["m", given.pop("reward_funcs")], given)


def test_what_it_can_be_had_with():
    many = {"vllm_tensor_parallel_size": 2}
    for config in (
        None,
        make_config(),
        make_config(use_vllm=True),
        make_config(use_vllm=True, vllm_mode="server", **many),
        make_config(**many),
    ):
        check_arguments(Trainer, ["m"], {"reward_funcs": [print, REWARD], "args": config})
    assert find_reward([print, REWARD]) is REWARD


def test_prompts_are_text():
    check_fields(None, {}, 2)
    check_fields(None, {"token_type_ids": [[0], [0, 0]]}, 2)
    for images, fields, named in (
        ([None], {}, "images"),
        (None, {"pixel_values": object()}, "pixel_values"),
        (None, {"pixels": [[0]]}, "pixels"),
    ):
        with pytest.raises(ValueError, match=rf"more than text \(.*{named}\).*use a text model"):
            check_fields(images, fields, 2)


def make_trainer(**changes):
    """A class with the methods that are overridden, and others in the place of some."""
    methods = {
        name: eval(f"lambda {', '.join(arguments)}: None") for name, arguments in OVERRIDDEN.items()
    }
    return type("GRPOTrainer", (), methods | changes)


def test_methods_of_another_version_are_refused():
    check_methods(make_trainer(), "1.16.0")
    with pytest.raises(
        RuntimeError, match=r"GRPOTrainer._generate of TRL 2.0 takes \('self'.*1.16"
    ):
        check_methods(make_trainer(_generate=lambda self, prompts, images: None), "2.0")
    with pytest.raises(RuntimeError, match="_save_checkpoint of TRL 2.0 is gone"):
        check_methods(make_trainer(_save_checkpoint=None), "2.0")
