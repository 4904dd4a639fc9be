"""The key of W&B: found where it lies, refused as a flag, written nowhere."""

import pickle

import pytest
from masa_openrlhf.cli import main
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.run import wandb_login
from masa_openrlhf.run.devices import require_stack
from masa_openrlhf.run.folder import RunFolder
from masa_openrlhf.run.wandb_login import PLACEHOLDER, Secret, WandbError

KEY = "0123456789abcdef0123456789abcdef01234567"
LOGGED = TrainConfig(log={"wandb": "masa"})


@pytest.fixture(autouse=True)
def no_key_of_this_machine(monkeypatch, tmp_path):
    for name in ("WANDB_API_KEY", "WANDB_MODE", "WANDB_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    return tmp_path / "netrc"


def test_no_key_is_looked_for_where_none_is_wanted():
    assert wandb_login.find_run_key(TrainConfig()) is None


def test_the_key_of_the_environment_comes_first(monkeypatch, no_key_of_this_machine):
    no_key_of_this_machine.write_text("machine api.wandb.ai login user password other\n")
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    assert wandb_login.find_run_key(LOGGED).reveal() == KEY


@pytest.mark.parametrize("host", ["api.wandb.ai", "wandb.example.org"])
def test_a_login_is_found(monkeypatch, no_key_of_this_machine, host):
    no_key_of_this_machine.write_text(f"machine {host} login user password {KEY}\n")
    if host != "api.wandb.ai":
        assert wandb_login.find_key() is None
        monkeypatch.setenv("WANDB_BASE_URL", f"https://{host}")
    assert wandb_login.find_run_key(LOGGED).reveal() == KEY


def test_without_a_key_a_run_does_not_start():
    for check in (wandb_login.find_run_key, require_stack):
        with pytest.raises(WandbError, match="WANDB_API_KEY.*wandb login.*WANDB_MODE=offline"):
            check(LOGGED)


def test_offline_needs_none(monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert wandb_login.find_run_key(LOGGED).reveal() == PLACEHOLDER


def test_a_secret_travels_and_does_not_show_itself():
    secret = pickle.loads(pickle.dumps(Secret(KEY)))
    assert secret.reveal() == KEY
    for shown in (repr(secret), str(secret), f"{[secret]}"):
        assert KEY not in shown


def test_it_is_handed_to_the_process_that_logs(monkeypatch, tmp_path):
    monkeypatch.setattr("os.environ", {"WANDB_DIR": "/elsewhere"})
    import os

    wandb_login.export_key(None, RunFolder(tmp_path))
    assert os.environ == {"WANDB_DIR": "/elsewhere"}
    wandb_login.export_key(Secret(KEY), RunFolder(tmp_path / "a run"))
    assert os.environ == {
        "WANDB_API_KEY": KEY,
        "WANDB_DIR": "/elsewhere",
        "WANDB_RUN_ID": "a-run",
        "WANDB_RESUME": "allow",
    }


@pytest.mark.parametrize("form", [["--logger.wandb.key", KEY], [f"--logger.wandb.key={KEY}"]])
def test_a_key_on_the_command_line_is_refused_without_being_repeated(capsys, tmp_path, form):
    pytest.importorskip("openrlhf")
    with pytest.raises(SystemExit) as end:
        main(["train", "--runs", str(tmp_path / "runs"), *form])
    said = capsys.readouterr()
    assert end.value.code == 2
    assert "log.wandb and the variable WANDB_API_KEY" in said.err
    assert KEY not in said.err + said.out
    assert not (tmp_path / "runs").exists()


def test_so_is_one_in_a_file(capsys, tmp_path):
    pytest.importorskip("openrlhf")
    file = tmp_path / "mine.toml"
    file.write_text(f'[openrlhf]\n"logger.wandb.key" = "{KEY}"\n')
    with pytest.raises(SystemExit):
        main(["train", "--runs", str(tmp_path / "runs"), "--config", str(file), "--dry-run"])
    said = capsys.readouterr()
    assert "log.wandb and the variable WANDB_API_KEY" in said.err
    assert KEY not in said.err + said.out


def test_a_dry_run_shows_the_variable(monkeypatch, capsys, tmp_path):
    pytest.importorskip("openrlhf")
    data = tmp_path / "data.jsonl"
    data.write_text('{"problem": "1+1?", "answer": "2"}\n')
    named = ("--data.train", str(data))
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    with pytest.raises(SystemExit) as end:
        main(["train", "--preset", "qwen3-8b", "--log.wandb", "masa", "--dry-run", *named])
    said = capsys.readouterr()
    assert end.value.code == 0
    assert f"--logger.wandb.key {PLACEHOLDER}" in said.out
    assert "--logger.wandb.project masa" in said.out
    assert KEY not in said.out + said.err
