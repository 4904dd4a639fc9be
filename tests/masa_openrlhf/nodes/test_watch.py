"""A lost node ends the run; on a real cluster: ``tests/stack/test_two_nodes.py``."""

import pickle
import socket
import time
from dataclasses import replace

import pytest
from masa_openrlhf.nodes import watch
from masa_openrlhf.nodes.members import Node
from masa_openrlhf.nodes.watch import NodeLostError, NodeWatch, explain_loss
from masa_openrlhf.run.launch import _ActorWithArguments

NODES = [Node(i, f"10.0.0.{i}", f"host{i}", 1, 1.0, True) for i in ("1", "2", "3")]


@pytest.fixture
def cluster(monkeypatch):
    """The cluster's nodes, as Ray would list them; the run is on the first two."""
    nodes = {node.id: node for node in NODES}
    monkeypatch.setattr(watch, "list_nodes", lambda: list(nodes.values()))
    return nodes


@pytest.fixture
def watching(monkeypatch):
    made = NodeWatch(lambda message: pytest.fail(message), every=0.05)
    made._ids = {"1", "2"}
    return made


def lose(cluster, one):
    cluster[one] = replace(cluster[one], alive=False)


def lose_and_wait(cluster, watching):
    with watching:
        lose(cluster, "2")
        time.sleep(60)


def test_the_main_thread_is_told_wherever_it_waits(cluster, watching):
    with pytest.raises(NodeLostError, match=r"node 10.0.0.2 \(host2\) .* is gone"):
        lose_and_wait(cluster, watching)


def test_a_node_that_the_run_is_not_on_may_go(cluster, watching):
    with watching:
        lose(cluster, "3")
        time.sleep(0.3)
    assert watching.find_lost() == []


def test_what_broke_is_put_down_to_a_node_as_soon_as_ray_knows(cluster, watching, monkeypatch):
    looks = []

    def answers(node):
        looks.append(node.id)
        lose(cluster, "2")
        return False

    monkeypatch.setattr(watch, "_takes_connection", answers)
    assert [node.id for node in watching.find_lost(patience=10)] == ["2"]
    assert looks


def test_where_all_nodes_answer_it_is_not_waited_for(cluster, watching, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for one in ("1", "2"):
            cluster[one] = replace(cluster[one], address="127.0.0.1", port=port)
        begun = time.monotonic()
        assert watching.find_lost(patience=10) == []
    assert time.monotonic() - begun < 3


def test_two_nodes_are_named_both():
    assert "nodes 10.0.0.1 (host1), 10.0.0.2 (host2) of the Ray cluster are gone" in explain_loss(
        NODES[:2]
    )


def test_actors_are_watched_here_and_travel_without_the_watch():
    made = []

    class Watch(NodeWatch):
        def add(self, actor):
            made.append(actor)

    actors = _ActorWithArguments(Recorder, Watch(print), masa="config")
    assert actors.options(num_gpus=1).remote(2) == ((2,), {"masa": "config"})
    assert made == [((2,), {"masa": "config"})]
    there = pickle.loads(pickle.dumps(actors))
    assert there.remote(3) == ((3,), {"masa": "config"})
    assert len(made) == 1


class Recorder:
    """An actor's class, as far as it is asked: it returns what it is made with."""

    @classmethod
    def options(cls, **options):
        return cls

    @staticmethod
    def remote(*args, **kwargs):
        return args, kwargs
