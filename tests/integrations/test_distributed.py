"""Several processes, played by threads: each rewards its part as one process would the whole."""

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from masa_rewards import MetaPrompt, Verdict
from masa_rewards.integrations.distributed import gather_others, reward_own
from masa_rewards.integrations.samples import MissingSolutionsError, Sample


class ScriptedVerifier:
    """A verifier that goes by the text."""

    def verify_many(self, pairs):
        status = {"right": "correct", "wrong": "incorrect", "slow": "timeout"}
        return [Verdict(status=status[text.split()[0]], answer=None) for text, _ in pairs]


class FakeWorld:
    """As much of torch.distributed as is used, for threads that are ranks."""

    def __init__(self, size):
        self.size, self.here = size, threading.local()
        self.given, self.barrier = [None] * size, threading.Barrier(size)

    def module(self):
        return SimpleNamespace(
            is_available=lambda: True,
            is_initialized=lambda: True,
            get_world_size=lambda: self.size,
            get_rank=lambda: self.here.rank,
            all_gather_object=self.all_gather_object,
        )

    def all_gather_object(self, everyone, own):
        self.given[self.here.rank] = own
        self.barrier.wait(10)
        everyone[:] = self.given

    def run(self, parts, function):
        def one(rank):
            self.here.rank = rank
            return function(parts[rank])

        with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(self.size) as threads:
            patch.setitem(sys.modules, "torch.distributed", self.module())
            return list(threads.map(one, range(self.size)))


def reward_values(samples):
    return reward_own(samples, ScriptedVerifier(), prompt=MetaPrompt(min_length=0))


SOLUTIONS = st.builds(
    lambda word, notion, problem, length: Sample(
        "solution", problem, f"problem {problem}", f"{word} by {notion}", length, "1"
    ),
    st.sampled_from(["right", "wrong", "slow"]),
    st.sampled_from(["parity", "sums"]),
    st.sampled_from("ab"),
    st.integers(0, 3),
)
METAS = st.builds(
    lambda rate, length, notion, problem: Sample(
        "meta",
        problem,
        f"problem {problem}",
        f'{{"pass_rate": {rate}, "solution_length": {length}, "math_notion": ["{notion}"]}}',
        9,
    ),
    st.integers(0, 8),
    st.integers(0, 3),
    st.sampled_from(["parity", "sum"]),
    st.sampled_from("ab"),
)
BOTH = [Sample("solution", each, f"problem {each}", "right", 1, "1") for each in "ab"]


@settings(max_examples=50, deadline=None)
@given(st.lists(SOLUTIONS, max_size=8), st.lists(METAS, max_size=6), st.data())
def test_any_order_in_any_parts(solutions, metas, data):
    batch = data.draw(st.permutations([*BOTH, *solutions, *metas]))
    ranks = data.draw(st.lists(st.integers(0, 2), min_size=len(batch), max_size=len(batch)))
    parts = [[s for s, r in zip(batch, ranks, strict=True) if r == rank] for rank in range(3)]
    alone = reward_values(batch)
    together = FakeWorld(3).run(parts, reward_values)
    for rank in range(3):
        wanted = [index for index, r in enumerate(ranks) if r == rank]
        expected = [alone[index] for index in wanted]
        assert [each.result for each in together[rank]] == [each.result for each in expected]
        values = [each.value for each in together[rank]]
        assert values == pytest.approx([each.value for each in expected])


def test_one_process_gathers_nothing(monkeypatch):
    monkeypatch.delitem(sys.modules, "torch.distributed", raising=False)
    assert gather_others([1, 2]) == []
    unused = SimpleNamespace(is_available=lambda: True, is_initialized=lambda: False)
    monkeypatch.setitem(sys.modules, "torch.distributed", unused)
    assert gather_others([1, 2]) == []


def test_three_processes_gather_by_rank():
    assert FakeWorld(3).run([[1], [], [2, 3]], gather_others) == [[2, 3], [1, 2, 3], [1]]


def test_solutions_that_are_nowhere():
    meta = Sample("meta", "c", "problem c", "", 1)
    with pytest.raises(MissingSolutionsError, match="'c' has 1 meta samples and no solution"):
        FakeWorld(2).run([BOTH, [meta]], reward_values)
