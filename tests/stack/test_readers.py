"""Readers that decide, on the real stack; resumed, each run is the one that never stopped."""

import json
import shutil

import pytest
from masa_openrlhf.run.folder import RunFolder

from tests.stack.command_runs import find_only_folder, list_steps, start_training

COMMON = (
    "--mode=masa-efficient",
    "--tiny.held-out=8",
    "--batch.problems=5",
    "--batch.train-micro=16",
    "--batch.forward-micro=16",
    "--solution.rollouts=6",
    "--optim.warmup-steps=0",
    "--checkpoint.every=2",
    "--eval.every=99",
    "--eval.rollouts=2",
    "--log.episodes=99",
    "--schedule.start=0",
    "--sampling.seeded",
    "--cutoff.rule=off",
    "--max-steps=6",
)
FREE = ("--meta.rollouts=0", "--experts.batch=0")
GATE = ("--gate.rule=threshold", "--gate.low=0.3", "--gate.audit=0.3", "--gate.refill")
WAVES = ("--allocation.rule=waves", "--allocation.worth=0.15", "--allocation.audit=0.3")
RUNS = {
    "probe": (
        *FREE,
        *GATE,
        *WAVES,
        "--reader.rule=probe",
        "--reader.min-groups=8",
        "--cluster.gpus-per-node=2",
    ),
    "words": (
        *FREE,
        *WAVES,
        "--reader.rule=words",
        "--reader.min-groups=8",
        "--gate.rule=choice",
        "--gate.draw=2",
        "--gate.min-remembered=8",
        "--algorithm=dapo",
    ),
    "history": (
        *FREE,
        *GATE,
        "--reader.rule=history",
        "--epochs=6",  # of ten problems: all come up again and again
    ),
    "distribution": (
        *GATE,
        *WAVES,
        "--reader.rule=distribution",
        "--reader.min-mass=0.2",
        "--meta.rollouts=1",
        "--experts.batch=4",
        "--experts.passes=0",
    ),
}


def episodes(folder):
    return {
        int(path.stem.split("-")[1]): json.loads(path.read_text())
        for path in sorted((folder.path / "episodes").iterdir())
    }


def figures(folder):
    """What a step came to, but for how long it took."""
    dropped = ("time", "overhead/")
    return [{k: v for k, v in row.items() if not k.startswith(dropped)} for row in folder.metrics()]


def play(where, rule):
    many = "--tiny.problems=10" if rule == "history" else "--tiny.problems=64"
    with start_training(
        *COMMON, many, *RUNS[rule], "--runs", str(where / rule), log=where / f"{rule}.txt"
    ) as run:
        status = run.wait()
    assert status == 0, run.output
    return find_only_folder(where / rule)


def resume_from(folder, step, where):
    """Go on from an earlier checkpoint in a copy of a run's folder, as if it had been killed."""
    copy = RunFolder(where / "resumed" / folder.path.name)
    shutil.copytree(folder.path, copy.path)
    states = copy.checkpoints / "_actor"
    shutil.rmtree(states / "global_step6")
    (states / "latest").write_text(f"global_step{step}")
    with start_training("--resume", str(copy.path), log=where / "resumed.txt") as run:
        status = run.wait()
    assert status == 0, run.output
    return copy


@pytest.fixture(scope="module")
def probed(tmp_path_factory):
    return play(tmp_path_factory.mktemp("probed"), "probe")


def test_a_probe_decides_without_a_token_of_prediction(probed):
    assert list_steps(probed) == [1, 2, 3, 4, 5, 6]
    last = probed.metrics()[-1]
    assert last["tokens/meta"] == 0
    assert "ledger/meta_tokens" not in last or last["ledger/meta_tokens"] == 0
    assert last["ledger/planned"] == last["ledger/problems"]
    assert last["reader/groups"] >= 5 * 5
    assert all(row["policy/grad_norm"] > 0 for row in probed.metrics())


def test_every_problem_that_was_drawn_was_read(probed):
    """Those of refills too: they were looked at before the step began."""
    for step, played in episodes(probed).items():
        believed = [one["plan"]["belief"] for one in played]
        # Eight groups are known after two steps.
        assert all(b is not None for b in believed) if step > 2 else not any(believed)
    later = [one for step, played in episodes(probed).items() if step > 2 for one in played]
    assert {one["plan"]["belief"]["source"] for one in later} == {"probe"}
    assert any(not one["solutions"] for one in later), "nothing was skipped: the test shows little"


def test_groups_stop_and_their_waves_are_samples_of_their_own(probed):
    last = probed.metrics()[-1]
    assert last["ledger/groups_in_waves"] > 0
    sizes = {
        len(one["solutions"])
        for played in episodes(probed).values()
        for one in played
        if one["solutions"]
    }
    assert sizes <= {2, 4, 6}
    grown = [
        one
        for played in episodes(probed).values()
        for one in played
        if one["plan"]["waves"] and len(one["solutions"]) > 2
    ]
    assert grown
    # With the seed of the first wave the second would say the same again.
    repeated = [
        [s["text"] for s in one["solutions"][:2]] == [s["text"] for s in one["solutions"][2:4]]
        for one in grown
    ]
    assert not all(repeated)


@pytest.mark.slow
@pytest.mark.parametrize("rule", RUNS)
def test_a_resumed_run_is_the_one_that_never_stopped(rule, tmp_path):
    whole = play(tmp_path, rule)
    resumed = resume_from(whole, 4, tmp_path)
    assert list_steps(resumed) == list_steps(whole)
    assert figures(resumed) == figures(whole)
    assert episodes(resumed) == episodes(whole)
    last = whole.metrics()[-1]
    assert last["ledger/problems"] >= 6 * 5
    if rule == "distribution":
        sources = {
            one["plan"]["belief"]["source"]
            for played in episodes(whole).values()
            for one in played
            if one["plan"]["belief"]
        }
        assert sources == {"distribution"}
    if rule == "history":
        assert last["reader/problems"] == 10
    if rule == "words":
        assert last["ledger/skipped_not_chosen"] > 0
