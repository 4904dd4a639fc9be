"""What a machine lacks for a GPU run is said before anything starts."""

from dataclasses import replace

import pytest
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.gpu import machine
from masa_openrlhf.gpu.machine import Card, Machine, MachineError

H100 = Card("NVIDIA H100 80GB HBM3", 80 << 30, (9, 0))
FIT = Machine("580.95.05", (13, 0), (13, 0), (H100,) * 8, "/usr/bin/gcc", True, 64 << 30)
EIGHT = TrainConfig(cluster={"device": "gpu"})


def test_a_fit_machine_lacks_nothing():
    assert machine.list_shortfalls(FIT, EIGHT) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"driver": None, "driver_cuda": None, "cards": ()}, "8 GPUs were asked for"),
        ({"driver": None, "driver_cuda": None, "cards": ()}, "0 are there: no NVIDIA driver"),
        ({"cards": (H100,) * 4}, "8 GPUs were asked for"),
        ({"cards": (H100,) * 4}, "4 are there: set cluster.gpus_per_node = 4"),
        ({"cards": (H100,)}, "1 is there"),
        (
            {"driver": "550.54.15", "driver_cuda": (12, 4)},
            "driver 550.54.15 takes CUDA up to 12.4, and torch is built for CUDA 13.0: install a "
            "driver for CUDA 13 (580 or newer)",
        ),
        ({"driver": "550.54.15", "driver_cuda": (12, 4)}, "cuda-compat-13-0"),
        ({"torch_cuda": None}, "built without CUDA"),
        (
            {"cards": (replace(H100, name="Tesla V100", capability=(7, 0)),) * 8},
            "Tesla V100 has compute capability 7.0",
        ),
        ({"compiler": None}, "install gcc"),
        ({"headers": False}, "install python3-dev"),
        ({"shared_memory": 64 << 20}, "/dev/shm holds 0.06 GiB"),
    ],
)
def test_what_it_lacks_is_said_with_the_way_out(change, said):
    (sentence,) = machine.list_shortfalls(replace(FIT, **change), EIGHT)
    assert said in sentence


def test_everything_is_said_at_once():
    bare = replace(FIT, cards=(H100,), compiler=None, shared_memory=0, headers=False)
    assert len(machine.list_shortfalls(bare, EIGHT)) == 4


def test_engines_that_share_no_gpu_are_counted():
    apart = TrainConfig(
        cluster={"device": "gpu", "gpus_per_node": 4, "engines": 3, "colocate": False}
    )
    assert machine.count_requested_gpus(apart) == 7
    (sentence,) = machine.list_shortfalls(replace(FIT, cards=(H100,) * 6), apart)
    assert sentence.startswith("7 GPUs were asked for")
    assert machine.count_requested_gpus(EIGHT) == 8


def test_more_nodes_than_this_one_need_a_cluster(monkeypatch):
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    two = TrainConfig(cluster={"device": "gpu", "nodes": 2, "engines": 16})
    with pytest.raises(MachineError, match="RAY_ADDRESS names no Ray cluster"):
        machine.require_machine(two)
    with pytest.raises(MachineError, match="or set cluster.nodes = 1"):
        machine.require_address(two)
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    machine.require_address(two)


def test_where_a_cluster_is_joined_this_machine_is_not_looked_at(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    monkeypatch.setattr(machine, "inspect_machine", lambda: pytest.fail("looked"))
    machine.require_machine(EIGHT)


def test_what_this_machine_has_is_found(monkeypatch):
    pytest.importorskip("torch")
    import torch

    found = machine.inspect_machine()
    built = torch.version.cuda
    assert found.torch_cuda == (None if built is None else tuple(map(int, built.split("."))))
    assert found.shared_memory > 0
    assert (found.driver is None) == (found.driver_cuda is None)


@pytest.mark.parametrize(
    ("given", "seen"), [(None, {0, 1, 2, 3}), ("", set()), ("2,0", {0, 2}), ("GPU-a,GPU-b", {0, 1})]
)
def test_cards_that_are_hidden_do_not_count(monkeypatch, given, seen):
    if given is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    assert machine._list_visible_cards(4) == seen
