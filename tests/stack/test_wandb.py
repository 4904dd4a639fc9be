"""A run that logs to W&B, offline: nothing of it holds the key."""

import contextlib
import os

import psutil

from tests.stack.command_runs import SMALL_RUN, find_only_folder, start_training

KEY = "5ecre7" * 6 + "5ecr"


def test_no_file_of_a_run_and_no_command_line_holds_the_key(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    monkeypatch.setenv("WANDB_MODE", "offline")
    flags = ("--runs", str(tmp_path / "runs"), *SMALL_RUN, "--max-steps=2", "--log.wandb=masa-test")
    shown = set()
    with start_training(*flags, log=tmp_path / "out.txt") as run:

        def logged():
            for process in run.processes():
                with contextlib.suppress(psutil.Error):
                    shown.add(" ".join(process.cmdline()))
            return any((tmp_path / "runs").glob("*/wandb/offline-run-*/*.wandb"))

        run.wait_until(logged)
        status = run.wait()
    assert status == 0, run.output
    folder = find_only_folder(tmp_path / "runs").path
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {"config.json", "openrlhf.txt", "driver.log", "events.jsonl"} <= {p.name for p in files}
    assert [p for p in files if KEY.encode() in p.read_bytes()] == []
    assert [p for p in files if KEY in os.fspath(p)] == []
    assert KEY not in run.output
    assert shown
    assert [line for line in shown if KEY in line] == []
    (record,) = folder.glob("wandb/offline-run-*/*.wandb")
    assert b"solution/pass_rate" in record.read_bytes()
