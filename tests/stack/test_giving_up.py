"""An update is given up by all ranks together, until the first weight changes."""

from types import SimpleNamespace

import pytest

TOLD, NOT_TOLD = True, False


class Stops:
    """Whether the run is told to end, look by look."""

    def __init__(self, *told):
        self.told, self.entered = list(told), []

    def is_told(self):
        return self.told.pop(0)

    def enter(self, phase, step):
        self.entered.append((phase, step))


@pytest.fixture
def make_rank(importable_here, monkeypatch):
    """A rank of ours whose stock counts micro-batches; others say what rank 0 found."""
    import torch
    from masa_openrlhf.stack import policy_trainer

    def count(self, experience, kl_ctl, step, loss_batch_info=None):
        self.taken.append(step)
        return {"metrics": {"policy_loss": torch.zeros(())}}

    monkeypatch.setattr(policy_trainer.ActorPPOTrainer, "training_step", count)

    def make(rank, others=()):
        answers = list(others)

        def all_reduce(value, op):
            assert op == "max"
            asked.append(value)
            return max(value, answers.pop(0) if answers else 0.0)

        made, asked = object.__new__(policy_trainer.PolicyTrainer), []
        made.taken, made.asked = [], asked
        made._shares, made._steps = [], 0
        made.args = SimpleNamespace(train=SimpleNamespace(dynamic_batch_enable=False))
        made.strategy = SimpleNamespace(
            accumulated_gradient=3, is_rank_0=lambda: rank == 0, all_reduce=all_reduce
        )
        return made

    return make


def take(rank, micro_batches):
    for step in range(micro_batches):
        rank.training_step(None, 0.0, step)


def test_before_its_first_optimiser_step_it_is(make_rank):
    from masa_openrlhf.run.folder import TOLD_TO_END
    from masa_openrlhf.stack.stopping import TrainingStopped

    rank, stops = make_rank(0), Stops(NOT_TOLD, NOT_TOLD, TOLD)
    rank.watch_stops(stops, 7)
    with pytest.raises(TrainingStopped, match=TOLD_TO_END):
        take(rank, 6)
    assert rank.taken == [0, 1]
    assert stops.entered == []


def test_from_there_on_nobody_looks(make_rank):
    rank, stops = make_rank(0), Stops(NOT_TOLD, NOT_TOLD, NOT_TOLD)
    rank.watch_stops(stops, 7)
    take(rank, 6)
    assert rank.taken == [0, 1, 2, 3, 4, 5]
    assert stops.told == []
    assert stops.entered == [("optimiser step", 7)]


def test_another_rank_looks_at_nothing_and_does_as_the_first(make_rank):
    from masa_openrlhf.stack.stopping import TrainingStopped

    rank, stops = make_rank(1, others=[0.0, 1.0]), Stops()
    rank.watch_stops(stops, 7)
    with pytest.raises(TrainingStopped):
        take(rank, 6)
    assert rank.taken == [0]
    assert rank.asked == [0.0, 0.0]


def test_an_update_that_is_not_a_steps_first_is_finished(make_rank):
    rank = make_rank(0)
    take(rank, 6)
    assert rank.taken == [0, 1, 2, 3, 4, 5]
    assert rank.asked == []
