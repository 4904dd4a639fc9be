"""What is said of a node's answer; the asking itself: ``tests/stack/test_two_nodes.py``."""

from pathlib import Path

import pytest
from masa_openrlhf.nodes import shared_paths
from masa_openrlhf.nodes.members import Node
from masa_openrlhf.nodes.shared_paths import NodeError, require_shared_paths

HERE = Node("a", "10.0.0.1", "head", 1, 1.0, True)
THERE = Node("b", "10.0.0.2", "worker", 1, 1.0, True)
NODES = (HERE, THERE)
GOOD = {"folder": "", "model": None, "versions": {"torch": "2.13.0"}}


@pytest.fixture
def ask(monkeypatch, tmp_path):
    """Play the nodes: one that sees the folder writes into it, as ``look`` does."""

    def ask(here=GOOD, there=GOOD, *, model=None, writes=("a", "b")):
        def answer(nodes, probe, nonce, local, patience):
            assert Path(probe, "run").read_text() == nonce
            for one in writes:
                Path(probe, one).write_text(nonce)
            return {k: v for k, v in (("a", here), ("b", there)) if v is not None}

        monkeypatch.setattr(shared_paths, "_ask_nodes", answer)
        monkeypatch.setattr(shared_paths, "find_own_id", lambda: "a")
        require_shared_paths(tmp_path, model, NODES, patience=60)

    yield ask
    assert list(tmp_path.iterdir()) == []


def test_nodes_that_see_all_pass(ask):
    ask()
    ask({**GOOD, "model": "x"}, {**GOOD, "model": "x"}, model="/")


@pytest.mark.parametrize(
    ("there", "arguments", "message"),
    [
        (
            {**GOOD, "folder": "FileNotFoundError: No such file or directory"},
            {"writes": ("a",)},
            r"node 10.0.0.2 \(worker\): it does not share the run.s folder .*FileNotFound.*mount",
        ),
        (GOOD, {"writes": ("a",)}, "what it writes there is not seen here"),
        (None, {"writes": ("a",)}, r"10.0.0.2 \(worker\): no answer within 60 s"),
        ({"error": "the node died"}, {"writes": ("a",)}, "nothing can be started there: the node"),
        (GOOD, {"here": {**GOOD, "model": "x"}, "model": "/"}, "model / .no such folder"),
        ({**GOOD, "model": "y"}, {"here": {**GOOD, "model": "x"}, "model": "/"}, "other files"),
        ({**GOOD, "versions": {"torch": None}}, {}, "torch missing .2.13.0 here.*environment"),
    ],
)
def test_a_node_that_lacks_something_is_named_with_the_way_out(ask, there, arguments, message):
    with pytest.raises(NodeError, match=message) as refused:
        ask(there=there, **arguments)
    assert "10.0.0.1" not in str(refused.value)


def test_a_name_on_the_hub_is_not_looked_for(ask):
    ask(model="Qwen/Qwen3-8B-Base")


def test_a_model_is_told_by_its_configuration_and_its_weights(tmp_path):
    look = shared_paths._make_look()
    (tmp_path / "run").write_text("n")

    def describe():
        return look(str(tmp_path), "me", "n", str(tmp_path), ("torch", "no-such-package"), 0.0)

    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "a.safetensors").write_bytes(b"12")
    first = describe()
    assert first["folder"] == ""
    assert first["versions"]["no-such-package"] is None
    (tmp_path / "README.md").write_text("other words")
    assert describe()["model"] == first["model"]
    (tmp_path / "a.safetensors").write_bytes(b"123")
    assert describe()["model"] != first["model"]
    assert look(str(tmp_path), "me", "other", None, (), 0.0)["folder"] == "another folder is there"
    gone = look(str(tmp_path / "gone"), "me", "n", str(tmp_path / "gone"), (), 0.0)
    assert gone["folder"].startswith("FileNotFoundError")
    assert gone["model"] is None
