import numpy as np
import pytest
from masa_openrlhf.report.groups import group_runs
from masa_openrlhf.report.plots import draw_plot
from masa_openrlhf.report.runs import read_run
from masa_openrlhf.report.sections import contributions

from tests.masa_openrlhf.report import factories


def series(steps, accuracy, seed=0):
    """Three rewards at random, the step, and accuracy as it is told."""
    rewards = np.random.default_rng(seed).random((steps, 3))
    step = np.arange(steps) / steps
    return np.column_stack([rewards, step, accuracy(rewards, step)])


def test_accuracy_that_is_the_notion_reward_is_its_share():
    found = contributions.estimate_contribution([series(200, lambda rewards, step: rewards[:, 2])])
    assert found.total == pytest.approx(1.0)
    assert found.shares[2] > 95
    assert found.low[2] > 90
    assert found.chance < 0.05
    assert found.steps == 200


def test_what_differs_between_runs_explains_nothing():
    """A run that is better throughout, with higher rewards throughout."""
    noise = np.random.default_rng(5).random
    one = series(60, lambda rewards, step: noise(60))
    other = series(60, lambda rewards, step: noise(60), seed=1) + 5.0
    assert contributions.estimate_contribution([one, other]).total < 0.2


def test_noise_is_told_from_chance():
    noise = np.random.default_rng(3).random(80)
    assert (
        contributions.estimate_contribution([series(80, lambda rewards, step: noise)]).chance > 0.05
    )
    assert contributions.estimate_contribution([series(80, lambda rewards, step: 0 * step)]) is None


def section(tmp_path, steps, accuracy):
    folder = factories.make_run(tmp_path / "a", steps=0, evals=())
    for step, row in enumerate(series(steps, accuracy), 1):
        keys = ("length", "difficulty", "notion")
        found = {f"meta/reward_{key}": value for key, value in zip(keys, row, strict=False)}
        folder.write_metrics(step, {**found, "solution/pass_rate": row[-1]})
    return contributions.contributions_section(group_runs([read_run(folder.path)]))


def test_too_few_steps_are_said_and_not_drawn(tmp_path):
    found = section(tmp_path, 39, lambda rewards, step: rewards[:, 0])
    assert not found.pictures
    assert found.missing == ["masa: too few steps for this regression, 39 of the 40 that it takes."]


def test_what_is_no_better_than_chance_is_not_drawn(tmp_path):
    noise = np.random.default_rng(3).random(80)
    found = section(tmp_path, 80, lambda rewards, step: noise)
    assert not found.pictures
    assert "no better than chance" in found.missing[0]


def test_what_is_told_is_drawn(tmp_path):
    found = section(tmp_path, 60, lambda rewards, step: rewards[:, 0])
    assert [picture.key for picture in found.pictures] == ["contributions"]
    assert "notion" in draw_plot(found.pictures[0]).svg
    assert found.tables[0].rows[0][:3] == ["masa", "60", "1.00"]
