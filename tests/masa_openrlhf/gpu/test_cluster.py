"""A Ray cluster that is too small is refused; one whose GPUs are taken is waited for, aloud."""

import pytest
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.gpu import cluster
from masa_openrlhf.run.folder import RunFolder

EIGHT = TrainConfig(cluster={"device": "gpu"})


def test_a_cluster_that_is_large_enough_passes():
    cluster.refuse_too_small(EIGHT, {"GPU": 8.0, "CPU": 64.0})


@pytest.mark.parametrize(
    ("total", "said"),
    [
        ({"CPU": 64.0}, r"8 GPUs were asked for .*, 0 are there in the Ray cluster"),
        ({"GPU": 4.0, "CPU": 64.0}, r"8 GPUs were asked for .*, 4 are there in the Ray cluster"),
        ({"GPU": 8.0, "CPU": 4.0}, "has 4 CPUs: start Ray with --num-cpus"),
    ],
)
def test_one_that_is_too_small_is_refused(total, said):
    with pytest.raises(cluster.ResourceError, match=said):
        cluster.refuse_too_small(EIGHT, total)


def test_gpus_that_others_hold_are_waited_for_and_each_change_is_said(tmp_path):
    folder = RunFolder(tmp_path)
    answers = iter([{}, {"GPU": 2.0}, {"GPU": 2.0}, {"GPU": 8.0}])
    cluster.wait_until_free(EIGHT, folder, lambda: next(answers), {"GPU": 8.0}, poll=0)
    waits = [event for event in folder.events() if event["event"] == "waiting"]
    assert [(w["gpus"], w["free"], w["total"]) for w in waits] == [(8, 0, 8), (8, 2, 8)]


def test_a_cluster_that_is_just_coming_up_gets_a_moment(monkeypatch):
    monkeypatch.setattr(cluster, "_POLL", 0)
    answers = iter([{}, {"GPU": 8.0}])
    assert cluster._wait_for_resources(lambda: next(answers), 8) == {"GPU": 8.0}
