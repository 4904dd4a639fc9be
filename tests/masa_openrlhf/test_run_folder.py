import asyncio
import json
import re
from dataclasses import asdict

import pytest
from masa_control import CalibrationPoints, ConfusionCounts, Planner, PredictiveGate, run_episode
from masa_openrlhf.config.layers import read_saved_config
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.run.files import TailReader, read_lines
from masa_openrlhf.run.folder import MAX_POINTS, RunFolder, StopRequest
from masa_rewards.notions.rules import NotionCount

from tests.masa_control.fakes import (
    PROBLEM,
    ScriptedEngine,
    ScriptedVerifier,
    make_completion,
    make_prediction_text,
    make_settings,
)


def folder(tmp_path):
    made = RunFolder(tmp_path / "run")
    made.create(TrainConfig())
    return made


def test_the_configuration_is_written_whole(tmp_path):
    made = folder(tmp_path)
    assert read_saved_config(made.config.read_text()) == TrainConfig()


def test_it_is_its_users_alone_and_so_are_its_settings(tmp_path):
    made = folder(tmp_path)
    assert made.path.stat().st_mode & 0o777 == 0o700
    made.config.chmod(0o644)
    made.write_config(TrainConfig())
    assert made.config.stat().st_mode & 0o777 == 0o600


def test_a_line_cut_off_by_a_kill_is_passed_over(tmp_path):
    path = tmp_path / "lines.jsonl"
    path.write_text('{"a": 1}\n{"a": 2}\n{"a"')
    assert list(read_lines(path)) == [{"a": 1}, {"a": 2}]
    assert list(read_lines(tmp_path / "none.jsonl")) == []


def test_a_resumed_run_drops_what_it_will_write_again(tmp_path):
    made = folder(tmp_path)
    for step in (1, 2, 3):
        made.write_metrics(step, {"x": float(step)})
    made.write_eval(0, {"x": 0.0})
    made.write_eval(3, {"x": 3.0})
    for step, split in ((0, "eval"), (2, "train"), (3, "train"), (3, "eval")):
        made.write_calibration(step, split, CalibrationPoints([(0.5, 0.25)], []))
    for step in (1, 3):
        made.write_notions(step, {"vieta": NotionCount(1, 0, 1, 3)})
    made.rewind(2)
    assert [row["step"] for row in made.metrics()] == [1, 2]
    assert [row["step"] for row in made.evals()] == [0]
    assert list(read_lines(made.path / "calibration.jsonl")) == [
        {"step": step, "split": split, "pass_rate": [[0.5, 0.25]], "length": []}
        for step, split in ((0, "eval"), (2, "train"))
    ]
    assert list(read_lines(made.path / "notions.jsonl")) == [
        {"step": 1, "notions": {"vieta": [1, 0, 1, 3]}}
    ]
    made.rewind(0)
    assert made.metrics() == made.evals() == []


def test_a_run_of_0_1_0_gets_todays_names_when_it_is_resumed(tmp_path):
    made = folder(tmp_path)
    counts = ConfusionCounts.of(1, 0, right=1, weight=2.0)
    old = {f"ledger/gate_tally_{name}": value for name, value in asdict(counts).items()}
    for step in (1, 2):
        made.write_metrics(step, {"meta/unread_length": 0.5, "experts/kept": 3.0} | old)
    pairs = {"step": 1, "split": "train", "pass_rate": [[0.5, 0.25]], "length": []}
    (made.path / "pairs.jsonl").write_text(json.dumps(pairs) + "\n")
    made.rewind(1)
    (row,) = made.metrics()
    assert set(row) == {"step", "time", "meta/unreadable_length", "experts/stored"}
    assert list(read_lines(made.path / "calibration.jsonl")) == [pairs]
    assert not (made.path / "pairs.jsonl").exists()
    assert made.confusion() == [{"step": 1, "gate": asdict(counts)}]
    made.rewind(1)  # nothing is left to rename
    assert made.metrics() == [row]


def test_confusion_counts_are_written_once_something_was_decided(tmp_path):
    made = folder(tmp_path)
    made.write_confusion(1, {})
    made.write_confusion(2, {"gate": ConfusionCounts.of(2, 1)})
    (row,) = made.confusion()
    assert (row["step"], row["gate"]["flagged"], row["gate"]["missed"]) == (2, 2.0, 1.0)


def test_a_run_says_what_it_was_started_with(tmp_path):
    made = folder(tmp_path)
    made.create(TrainConfig())
    found = json.loads((made.path / "versions.json").read_text())
    assert {"python", "masa-openrlhf", "torch"} <= set(found)
    if "commit" in found:  # a checkout; not so where the sources came without git
        assert re.fullmatch(r"[0-9a-f]{40}\+?", found["commit"])


def test_a_line_of_points_and_of_notions_is_bounded(tmp_path):
    """On a cluster a step may have hundreds of problems, and an evaluation thousands."""
    made = folder(tmp_path)
    made.write_calibration(
        1, "eval", CalibrationPoints([(i / 4096, 1 / 3) for i in range(2048)], [])
    )
    made.write_calibration(2, "train", CalibrationPoints([], []))
    made.write_notions(2, {})
    (line,) = read_lines(made.path / "calibration.jsonl")
    assert len(line["pass_rate"]) == MAX_POINTS == 512
    assert line["pass_rate"][:2] == [[0.0, 0.3333], [0.001, 0.3333]]  # each fourth
    assert line["pass_rate"][-1] == [0.499, 0.3333]
    assert not (made.path / "notions.jsonl").exists()


def test_asking_to_stop(tmp_path):
    made = folder(tmp_path)
    assert made.read_stop() is None
    made.clear_stop()
    made.clear_stop()
    assert made.read_stop() is None
    for request in StopRequest:
        made.request_stop(request)
        assert made.read_stop() is request
    made.clear_stop()
    assert made.read_stop() is None


def test_a_request_to_stop_is_written_into_a_file_that_is_there_already(tmp_path):
    """On a shared file system a new file, or one in another's place, may be seen a minute late."""
    made = folder(tmp_path)
    made.clear_stop()
    before = (made.path / "stop").stat().st_ino
    made.request_stop(StopRequest.NOW)
    assert (made.path / "stop").stat().st_ino == before


@pytest.mark.parametrize(
    ("steps", "latest", "left"),
    [
        ([2, 4], "global_step4", ["global_step2", "global_step4"]),
        ([2, 4, 5], "global_step4", ["global_step2", "global_step4"]),
        ([10, 9], "global_step9", ["global_step9"]),
        ([9, 10], "", ["global_step10", "global_step9"]),
        ([2], None, None),
        ([], None, None),
        ([], "global_step2", None),
    ],
)
def test_what_a_kill_left_of_a_checkpoint_is_dropped(tmp_path, steps, latest, left):
    made = folder(tmp_path)
    actor = made.checkpoints / "_actor"
    for step in steps:
        (actor / f"global_step{step}").mkdir(parents=True)
        (actor / f"global_step{step}" / "states.pt").touch()
    if latest is not None:
        actor.mkdir(parents=True, exist_ok=True)
        (actor / "latest").write_text(latest)
    made.drop_unfinished_checkpoints()
    assert actor.exists() == (left is not None)
    if left:
        assert sorted(path.name for path in actor.glob("global_step*")) == left
        assert (actor / "latest").read_text() == (latest or "global_step10")


def test_a_growing_file_is_read_as_it_grows(tmp_path):
    path = tmp_path / "lines.jsonl"
    reader = TailReader(path)
    assert reader.read() == []
    path.write_text('{"a": 1}\n{"a"')
    assert reader.read() == [{"a": 1}]
    assert reader.read() == []
    with open(path, "a") as file:
        file.write(": 2}\n")
    assert reader.read() == [{"a": 2}]
    path.write_text('{"a": 3}\n')  # rewound
    assert reader.read() == []
    with open(path, "a") as file:
        file.write(json.dumps({"a": 4}) + "\n")
    assert reader.read() == [{"a": 4}]


def test_what_was_there_before_can_be_skipped(tmp_path):
    path = tmp_path / "lines.jsonl"
    path.write_text('{"a": 1}\n')
    reader = TailReader(path)
    reader.skip()
    assert reader.read() == []


def test_an_episode_says_why_it_was_skipped(tmp_path):
    engine = ScriptedEngine(meta=[make_completion(make_prediction_text(8, 3))] * 2)
    planner = Planner(step=1, seed=0, gate=PredictiveGate(), gate_audit=0.0)
    episode = asyncio.run(
        run_episode(
            PROBLEM,
            engine=engine,
            verifier=ScriptedVerifier(),
            settings=make_settings(2, 4),
            planner=planner,
        )
    )
    made = RunFolder(tmp_path / "run", sample_episodes=1)
    made.create(TrainConfig())
    made.write_episodes(7, [episode])
    (read,) = json.loads((made.path / "episodes" / "step-000007.json").read_text())
    assert read["decided"].startswith("skipped as trivial: 2 predicted pass rates of mean 1.000")
    assert read["solutions"] == []
    assert read["plan"]["gate"]["std"] == 0.0
    assert [m["total_reward"] for m in read["meta"]] == [None, None]
