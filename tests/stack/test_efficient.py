"""MASA-efficient at its limits: all is skipped, all is cut, nothing is predicted, vLLM dies."""

import contextlib
import itertools
import json
import signal

import psutil
import pytest
from masa_openrlhf.display.metric_catalogue import find_metric

from tests.stack.command_runs import SMALL_RUN, find_only_folder, list_steps, start_training

# Nearly every problem is skipped, on two ranks: what is left fills no micro-batch.
SKIPPED = (
    "--cluster.gpus-per-node=2",
    "--schedule.start=0",
    "--gate.tolerance=0.49",
    "--gate.audit=0.1",
    "--gate.refill",
    "--gate.refill-limit=2",
    "--experts.batch=0",
    "--max-steps=4",
)
# From the second step on every solution is cut after a token or two, but for those that an audit
# spares; with hints. In the first experts are cloned in two passes of their own, and predictions
# have another weight than later.
CUT = (
    "--schedule.start=1",
    "--experts.passes=2",
    "--meta.weight=1.0",
    "--schedule.meta-weight=0.25",
    "--experts.weight=0.5",
    "--schedule.clone-weight=0.125",
    "--optim.warmup-steps=8",
    "--gate.rule=off",
    "--cutoff.margin=0.01",
    "--cutoff.audit=0.25",
    "--hints.rule=predicted",
    "--solution.hint-template={problem}\nUse {notions}.",
    "--data.prompt-max-tokens=96",
    "--max-steps=4",
)
# Predictions of two tokens: none can be read. Then the engine dies.
UNREAD = ("--schedule.start=0", "--meta.max-tokens=2", "--max-steps=200")


@pytest.fixture(scope="module")
def hard_times(tmp_path_factory, whole_run):
    """Three runs side by side; after a first one, so that the tiny model is there."""
    where = tmp_path_factory.mktemp("hard")
    story = {}
    with contextlib.ExitStack() as stack:
        runs = {
            name: stack.enter_context(
                start_training(
                    *(
                        flag
                        for flag in SMALL_RUN
                        if name != "cut" or not flag.startswith("--gate.")
                    ),
                    "--eval.every=99",
                    *flags,
                    "--runs",
                    str(where / name),
                    log=where / f"{name}.txt",
                )
            )
            for name, flags in (("skipped", SKIPPED), ("cut", CUT), ("unread", UNREAD))
        }
        unread = runs["unread"]
        unread.wait_until(lambda: (where / "unread").exists() and any((where / "unread").iterdir()))
        unread.wait_until(lambda: len(list_steps(find_only_folder(where / "unread"))) >= 2)
        # Ray rewrites the title with each call, and one read in a hundred finds it empty.
        found = []
        unread.wait_until(lambda: found.extend(engines(unread)) or found)
        found[0].send_signal(signal.SIGKILL)
        for name, run in runs.items():
            status = run.wait()
            story[name] = (find_only_folder(where / name), status, run.output, run.left_behind())
    return story


def engines(run):
    """Processes in which vLLM lives: Ray names them after the class whose method they run."""
    found = []
    for process in run.processes():
        with contextlib.suppress(psutil.Error):
            title = " ".join(process.cmdline())
            if "ray::EpisodeActor" in title or "ray::RolloutRayActor" in title:
                found.append(process)
    return found


def episodes(folder):
    return [
        episode
        for path in sorted((folder.path / "episodes").iterdir())
        for episode in json.loads(path.read_text())
    ]


def test_every_metric_of_the_runs_is_in_the_catalogue(hard_times):
    names = {n for folder, *_ in hard_times.values() for row in folder.metrics() for n in row}
    assert len(names) > 80
    assert [name for name in sorted(names) if find_metric(name) is None] == []


def test_a_run_in_which_nearly_all_is_skipped_comes_to_its_end(hard_times):
    folder, status, output, left = hard_times["skipped"]
    assert status == 0, output
    assert left == []
    assert list_steps(folder) == [1, 2, 3, 4]
    last = folder.metrics()[-1]
    skipped = last["ledger/skipped_trivial"] + last["ledger/skipped_unsolvable"]
    assert skipped >= 0.6 * last["ledger/problems"]
    # Every problem drawn is accounted for: skipped, audited or rolled out.
    rolled_out = last["ledger/solution_rollouts"] / 6
    assert skipped + rolled_out == last["ledger/problems"] == last["ledger/planned"]


def test_skipped_problems_are_filled_up_to_the_limit(hard_times):
    folder, *_ = hard_times["skipped"]
    assert all(5 <= row["sampling/drawn"] <= 10 for row in folder.metrics())
    assert max(row["sampling/drawn"] for row in folder.metrics()) > 5


def test_a_step_with_nothing_to_train_on_is_counted_and_makes_no_update(hard_times):
    folder, *_ = hard_times["skipped"]
    for row in folder.metrics():
        empty = "solution/pass_rate" not in row
        assert ("policy/grad_norm" in row) == (not empty)
    without = sum("policy/grad_norm" not in row for row in folder.metrics())
    assert folder.metrics()[-1].get("ledger/steps_without_update", 0) == without


def test_a_person_can_read_why_a_problem_was_skipped(hard_times):
    folder, *_ = hard_times["skipped"]
    skipped = [e for e in episodes(folder) if not e["solutions"]]
    assert skipped
    for episode in skipped:
        assert episode["decided"].startswith("skipped as ")
        assert "not drawn for an audit of 10% of such problems" in episode["decided"]
        assert episode["plan"]["gate"]["mean"] == pytest.approx(
            sum(
                m["prediction"]["pass_rate"]
                for m in episode["meta"]
                if m["prediction"]["pass_rate"] is not None
            )
            / episode["plan"]["gate"]["read"]
        )


def test_a_run_in_which_all_is_cut_comes_to_its_end(hard_times):
    folder, status, output, left = hard_times["cut"]
    assert status == 0, output
    assert left == []
    assert list_steps(folder) == [1, 2, 3, 4]
    last = folder.metrics()[-1]
    assert last["ledger/groups_cut_whole"] > 0
    assert last["ledger/rollouts_cut"] >= 6 * last["ledger/groups_cut_whole"]
    cut = [e for e in episodes(folder) if e["solutions"] and all(s["cut"] for s in e["solutions"])]
    assert cut
    for episode in cut:  # nobody knows how they would have ended
        assert episode["pass_rate"] is None
        assert all(s["reward"] is None for s in episode["solutions"])
        assert all(m["total_reward"] is None for m in episode["meta"])


def test_audits_let_solutions_run_on(hard_times):
    folder, *_ = hard_times["cut"]
    spared = [e for e in episodes(folder) if e["plan"] and e["plan"]["cutoff_audited"]]
    assert spared
    for episode in spared:
        assert "but for an audit of 25% of such problems" in episode["decided"]
        assert max(s["tokens"] for s in episode["solutions"]) > 2
        assert episode["pass_rate"] is not None
    assert folder.metrics()[-1]["ledger/cutoff_tokens_saved"] > 0


def test_predicted_notions_are_put_to_the_problem(hard_times):
    folder, *_ = hard_times["cut"]
    hinted = [e for e in episodes(folder) if e["plan"] and e["plan"]["hint"]]
    assert len(hinted) == folder.metrics()[-1]["ledger/hinted"] > 0
    for episode in hinted:
        assert f"hint: {', '.join(episode['plan']['hint'])}" in episode["decided"]


def test_experts_are_cloned_again_while_predictions_decide_nothing(hard_times):
    folder, *_ = hard_times["cut"]
    rows = folder.metrics()
    cloned = [row["ledger/cloned_sequences"] for row in rows]
    assert cloned[0] == (1 + 2) * min(6, rows[0]["experts/stored"]) > 0
    assert all(after - before <= 6 for before, after in itertools.pairwise(cloned))
    assert rows[0]["policy/grad_norm_passes"] > 0
    assert all("policy/grad_norm_passes" not in row for row in rows[1:])


def test_predictions_weigh_another_amount_once_they_decide(hard_times):
    folder, *_ = hard_times["cut"]
    assert [row["meta/weight"] for row in folder.metrics()] == [1.0, 0.25, 0.25, 0.25]
    assert [row["experts/weight"] for row in folder.metrics()] == [0.5, 0.125, 0.125, 0.125]


def test_warm_up_counts_cloning_passes(hard_times):
    folder, *_ = hard_times["cut"]
    first, second, *_ = folder.metrics()
    # While the learning rate rises it says how many optimiser steps there were before: one of
    # rollouts, two of experts.
    assert second["policy/lr"] == pytest.approx((3 + 1) * first["policy/lr"])


def test_predictions_that_cannot_be_read_decide_nothing(hard_times):
    folder, *_ = hard_times["unread"]
    for row in folder.metrics():
        assert row["meta/unreadable_pass_rate"] == 1.0
        assert row["gate/skipped"] == 0.0
        assert row["cutoff/max_tokens"] == 96
        assert (row["policy/grad_norm"] > 0) == (row["solution/no_variance"] < 1)
    last = folder.metrics()[-1]
    assert last["ledger/undecided_predictions"] == last["ledger/problems"]
    assert last["ledger/unreadable_pass_rate_no_json"] == last["ledger/meta_rollouts"]


def test_an_engine_that_dies_ends_the_run_and_says_so(hard_times):
    _, status, output, left = hard_times["unread"]
    assert status not in (0, 130)
    assert "ActorDiedError" in output or "actor died" in output
    assert left == []
