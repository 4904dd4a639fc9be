"""The updates of a step: how many, on what, and when vLLM gets the weights."""

from types import SimpleNamespace

import pytest


@pytest.fixture
def trainer(monkeypatch, importable_here):
    """A trainer whose updates are OpenRLHF's in name alone: they note what they are given."""
    import masa_openrlhf.stack.trainer as module

    done = []

    def train_step(self, samples, global_step):
        done.append((samples, global_step))
        norm = 0.1 * len(done)
        self.broadcast_to_vllm()
        times = {"timing/ppo_train": 1.0, "timing/broadcast": 0.5}
        return {"policy_loss": norm, "actor_grad_norm": norm, **times}, global_step + 1

    monkeypatch.setattr(
        module.stock.PPOTrainer.__ray_metadata__.modified_class, "train_step", train_step
    )
    monkeypatch.setattr(module, "get_while_alive", lambda sent, engines: done.append(sent))
    made = object.__new__(module.Trainer)
    made._more_updates = False
    made.args = SimpleNamespace(vllm=SimpleNamespace(enable_sleep=False))
    made.vllm_engines = []
    made.actor_model_group = SimpleNamespace(async_run_method=lambda method_name: method_name)
    return made, done


def test_weights_are_sent_once_a_step_whatever_updates_it_takes(trainer):
    made, done = trainer
    status = made._update([["solution"], ["meta"]], [["clone"], ["another"]], 7)
    updates = [(["solution"], 7), (["meta"], 7), (["clone"], 7), (["another"], 7)]
    assert done == [*updates, "broadcast_to_vllm"]
    assert status["policy_loss"] == status["actor_grad_norm"] == pytest.approx(0.1)
    assert status["actor_grad_norm_meta"] == pytest.approx(0.2)
    assert status["actor_grad_norm_passes"] == pytest.approx(0.35)
    assert status["timing/ppo_train"] == 4.0
    assert status["timing/broadcast"] == 2.0


def test_a_step_of_passes_alone_says_nothing_of_the_policys_own(trainer):
    made, done = trainer
    status = made._update([], [["clone"]], 7)
    assert done == [(["clone"], 7), "broadcast_to_vllm"]
    assert "actor_grad_norm" not in status
    assert status["actor_grad_norm_passes"] == pytest.approx(0.1)


def test_a_step_without_anything_to_learn_sends_nothing(trainer):
    made, done = trainer
    assert made._update([], [], 7) == {}
    assert done == []
