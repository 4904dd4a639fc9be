"""Which variables go to all nodes: what users need, no secret, nothing that is one node's own."""

import os

import pytest
from masa_openrlhf.config.help import render_train_help
from masa_openrlhf.nodes.variables import (
    SENT,
    VariableError,
    collect_secrets,
    collect_variables,
    export_secrets,
    is_secret_name,
)

NEEDED = {
    "HF_HOME": "/shared/hf",
    "HF_HUB_OFFLINE": "1",
    "HF_TOKEN_PATH": "/shared/token",
    "TRANSFORMERS_OFFLINE": "1",
    "MASA_CACHE": "/shared/masa",
    "NCCL_SOCKET_IFNAME": "ib0",
    "NCCL_IB_HCA": "mlx5",
    "TORCH_NCCL_BLOCKING_WAIT": "1",
    "GLOO_SOCKET_IFNAME": "eth0",
    "CUDA_HOME": "/usr/local/cuda",
    "VLLM_LOGGING_LEVEL": "WARN",
    "WANDB_MODE": "offline",
    "TOKENIZERS_PARALLELISM": "true",
    "FI_PROVIDER": "efa",
}
SECRET = {
    "HF_TOKEN": "hf_x",
    "HUGGING_FACE_HUB_TOKEN": "hf_y",
    "WANDB_API_KEY": "0123",
    "VLLM_API_KEY": "z",
    "RAY_AUTH_TOKEN": "t",
}
ANOTHER_NODES = {
    "VLLM_HOST_IP": "10.0.0.1",
    "NCCL_HOSTID": "a",
    "PATH": "/usr/bin",
    "HOME": "/root",
    "CUDA_VISIBLE_DEVICES": "0",
    "MASA_OPENRLHF_LOOPBACK": "1",
    "TMPDIR": "/tmp/x",
    "MY_VARIABLE": "1",
}
ALL = NEEDED | SECRET | ANOTHER_NODES


def test_what_users_need_goes_and_nothing_else():
    assert collect_variables(ALL) == NEEDED


def test_more_are_sent_by_name_by_their_beginning_and_with_a_value():
    assert collect_variables(ALL, more=["MY_*"]) == NEEDED | {"MY_VARIABLE": "1"}
    assert collect_variables(ALL, more=["MY_VARIABLE", "NOT_SET"]) == NEEDED | {"MY_VARIABLE": "1"}
    assert collect_variables(ALL, more=["NCCL_IB_HCA=a=b"])["NCCL_IB_HCA"] == "a=b"


def test_what_every_node_has_its_own_of_stays():
    found = collect_variables(ALL, kept=["NCCL_*", "CUDA_HOME"])
    assert set(NEEDED) - set(found) == {"NCCL_SOCKET_IFNAME", "NCCL_IB_HCA", "CUDA_HOME"}


@pytest.mark.parametrize("more", ["VLLM_API_KEY", "MY_PASSWORD=x", "AWS_SECRET_ACCESS_KEY"])
def test_a_secret_is_not_sent_when_it_is_asked_for(more):
    with pytest.raises(VariableError, match="set it where Ray is started on every node") as refused:
        collect_variables(ALL | {"AWS_SECRET_ACCESS_KEY": "s"}, more=[more])
    assert "=x" not in str(refused.value)


def test_a_beginning_of_names_takes_no_secret_with_it():
    assert collect_variables({"MY_KEY": "s", "MY_NAME": "n"}, more=["MY_*"]) == {"MY_NAME": "n"}


@pytest.mark.parametrize("name", ["TOKENIZERS_PARALLELISM", "HF_TOKEN_PATH", "NCCL_KEYS"])
def test_names_that_only_look_like_a_secrets(name):
    assert not is_secret_name(name)


def test_secrets_are_carried_without_showing_themselves(monkeypatch):
    monkeypatch.delenv("HF_TOKEN", raising=False)
    found = collect_secrets(ALL)
    assert set(found) == {"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}
    assert "hf_x" not in repr(found)
    monkeypatch.setenv("HUGGING_FACE_HUB_TOKEN", "")
    export_secrets(found)
    assert os.environ["HF_TOKEN"] == "hf_x"
    monkeypatch.delenv("HF_TOKEN")


def test_the_help_names_them():
    text = " ".join(render_train_help().split())
    for name in ("HF_*", "NCCL_*", "VLLM_*", "CUDA_HOME", "MASA_CACHE", "HF_TOKEN"):
        assert name in text
        assert name in SENT or name == "HF_TOKEN"
