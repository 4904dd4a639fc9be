"""Records of the comparison: finished runs in one small file, and back."""

import json
import tarfile
from pathlib import Path

import pytest
from masa_benchmarks.comparison.arms import ARMS
from masa_benchmarks.comparison.command import main
from masa_benchmarks.comparison.policy import ComparisonAssets
from masa_benchmarks.comparison.record import unpack_record, write_record
from masa_benchmarks.comparison.running import (
    Job,
    build_job_settings,
    find_job_folder,
    is_finished,
    list_changed_settings,
)
from masa_openrlhf.config.layers import build_config


@pytest.fixture
def two_runs(tmp_path):
    """The home of the two jobs, one of them finished."""

    home = tmp_path / "home"
    assets = ComparisonAssets(
        home / "policy" / "model", home / "train.jsonl", home / "held-out.jsonl"
    )
    jobs = [Job(ARMS[0], 0), Job(ARMS[0], 1)]
    for job, end in zip(jobs, (320, 3), strict=True):
        folder = home / "runs" / f"{job.name}-20260101-000000"
        folder.mkdir(parents=True)
        settings = build_job_settings(job, assets) | {"runs": str(home / "runs")}
        config = build_config(settings).model_dump_json()
        steps = [
            {"step": s, "time": 100.0 + 1.23456 * s, "tokens/solution": 5000.0, "policy/kl": 0.1}
            | {"solution/no_variance": 1 / 3, "solution/length": 70.0, "time/step": 1.0}
            | {"ledger/solution_tokens": 5000.0 * s, "sampling/drawn": 9.0}
            for s in range(1, end + 1)
        ]
        evals = [
            {
                "step": s,
                "time": 99.0 + s,
                "pass_at_1": 0.3 + s / 700,
                "meta/length_correlation": 0.5,
            }
            for s in range(0, end + 1, 10)
        ]
        events = [
            {"event": "starting", "time": 90.0, "what": f"in {home}"},
            {"event": "training", "time": 99.0, "steps": 320},
            {"event": "trained", "time": 200.0, "reason": "finished", "step": end},
        ]
        (folder / "config.json").write_text(config)
        for name, rows in (("metrics", steps), ("eval", evals), ("events", events)):
            (folder / f"{name}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    return home, jobs


def test_a_record_prints_the_same_tables_and_is_not_run_again(tmp_path, two_runs, capsys):
    home, jobs = two_runs
    file, other = tmp_path / "runs.tar.xz", tmp_path / "other"
    command = ["--arms", "grpo", "--first-seed", "0", "--seeds", "1", "--tables", "--home"]
    assert main([*command, str(home), "--record", str(file)]) == 0
    said = capsys.readouterr().out
    assert f"1 runs are in {file}" in said
    assert main([*command, str(other), "--recorded", str(file)]) == 0
    again = capsys.readouterr().out
    assert "1 runs unpacked" in again
    tables = said[said.index("## Shares of tokens") : said.index("1 runs are in")].strip()
    assert "33%" in tables
    assert "70" in tables
    assert again[again.index("## Shares of tokens") :].strip() == tables
    assert is_finished(find_job_folder(jobs[0], other), 320)
    assert list_changed_settings(jobs[0], other) == []
    assert write_record(jobs, home, file) == 1  # the other one has not come to its end
    assert write_record([], home, file) == 1  # what is in the file stays


def test_a_home_may_be_named_from_where_one_stands(tmp_path, two_runs, monkeypatch):
    _, jobs = two_runs
    monkeypatch.chdir(tmp_path)
    assert write_record(jobs, Path("home"), Path("runs.tar.xz")) == 1


def test_a_record_says_nothing_of_the_machine_and_spares_what_is_there(tmp_path, two_runs):
    home, jobs = two_runs
    file = tmp_path / "runs.tar.xz"
    write_record(jobs, home, file)
    with tarfile.open(file) as archive:
        texts = [archive.extractfile(member).read().decode() for member in archive.getmembers()]
    assert len(texts) == 5
    assert not any(str(tmp_path) in text or "starting" in text for text in texts)
    assert unpack_record(file, home) == 0
    assert "policy/kl" in (home / "runs" / "grpo-0-20260101-000000" / "metrics.jsonl").read_text()
    unpack_record(file, tmp_path / "other")
    config = (tmp_path / "other/runs/grpo-0-20260101-000000/config.json").read_text()
    assert str(tmp_path / "other" / "policy" / "model") in config
