"""The updates of a step: what is reported of them."""

import pytest

TIMES = {"timing/ppo_train": 1.0, "timing/broadcast": 0.5}


def report(norm):
    return {"policy_loss": norm, "actor_grad_norm": norm, **TIMES}


@pytest.fixture
def merge_reports(importable_here):
    from masa_openrlhf.stack.reports import merge_reports

    return merge_reports


def test_of_passes_the_mean_norm_is_kept_and_times_add_up(merge_reports):
    status = merge_reports([report(0.1), report(0.3), report(0.4)], 2)
    assert status["policy_loss"] == status["actor_grad_norm"] == 0.1
    assert status["actor_grad_norm_passes"] == pytest.approx(0.35)
    assert (status["timing/ppo_train"], status["timing/broadcast"]) == (3.0, 1.5)


def test_without_passes_it_is_openrlhfs_report(merge_reports):
    assert merge_reports([report(0.1)], 0) == report(0.1)


def test_a_step_of_passes_alone_says_nothing_of_the_policys_own(merge_reports):
    status = merge_reports([report(0.1)], 1)
    assert "actor_grad_norm" not in status
    assert status["actor_grad_norm_passes"] == pytest.approx(0.1)
    assert status["timing/ppo_train"] == 1.0


def test_a_step_without_anything_to_learn_reports_nothing(merge_reports):
    assert merge_reports([], 0) == {}
