"""A first step that teaches nothing says so, with the share and the way out."""

import pytest
from masa_openrlhf.display.diagnosis import describe_step_time, diagnose_step

HEALTHY = {
    "step": 1,
    "solution/pass_rate": 0.35,
    "solution/no_variance": 0.4,
    "solution/truncated": 0.1,
    "solution/unparsable": 0.05,
    "meta/unreadable_pass_rate": 0.1,
    "meta/unreadable_length": 0.2,
    "meta/unreadable_notion": 0.0,
    "time/step": 62.0,
    "time/generation": 26.0,
    "time/score": 8.0,
    "time/train": 27.0,
    "time/broadcast": 0.5,
}


def test_a_healthy_step_has_nothing_against_it():
    assert diagnose_step(HEALTHY) == []
    assert diagnose_step({"step": 1}) == []


@pytest.mark.parametrize(
    ("change", "name", "said"),
    [
        ({"solution/truncated": 0.7}, "truncated solutions", "70% .* raise it"),
        ({"solution/unparsable": 0.99}, "missing answers", "99% .* solution.template"),
        (
            {"solution/no_variance": 1.0, "solution/pass_rate": 0.0},
            "groups without variance",
            "100% of the groups .* too hard: take easier ones",
        ),
        (
            {"solution/no_variance": 0.95, "solution/pass_rate": 0.97},
            "groups without variance",
            "too easy: take harder ones",
        ),
    ],
)
def test_each_finding_has_its_share_and_a_way_out(change, name, said):
    import re

    (found,) = diagnose_step({**HEALTHY, **change})
    assert found.name == name
    assert re.search(said, found.message)
    assert found.share == next(iter(change.values()))


def test_predictions_are_unreadable_by_the_mean_of_their_parts():
    parts = ("pass_rate", "length", "notion")
    unreadable = {f"meta/unreadable_{part}": 0.99 for part in parts}
    (found,) = diagnose_step({**HEALTHY, **unreadable})
    assert found.name == "unreadable predictions"
    assert found.share == pytest.approx(0.99)
    one = {**HEALTHY, "meta/unreadable_notion": 1.0}
    assert diagnose_step(one) == []


def test_what_the_smallest_model_did_is_told_whole():
    shares = {"solution/truncated": 0.7, "solution/unparsable": 0.99, "solution/no_variance": 1.0}
    parts = {f"meta/unreadable_{part}": 0.99 for part in ("pass_rate", "length", "notion")}
    found = diagnose_step({**HEALTHY, **shares, **parts, "solution/pass_rate": 0.0})
    assert [finding.name for finding in found] == [
        "truncated solutions",
        "missing answers",
        "unreadable predictions",
        "groups without variance",
    ]


def test_the_seconds_of_a_step_add_up():
    assert describe_step_time(HEALTHY) == (
        "step 1 took 62.0 s: generation 26.0 s, scoring 8.0 s, training 27.0 s, weights to vLLM "
        "0.5 s, other 0.5 s"
    )
    assert describe_step_time({"step": 1}) == ""
