"""Groups that grow in waves: when they stop, what that makes of them, and what it biases."""

import asyncio
import itertools
import math

import numpy as np
import pytest
from masa_control import (
    Belief,
    Completion,
    Planner,
    Problem,
    ThresholdGateSettings,
    WavePlan,
    WaveRecord,
    WaveSettings,
    run_episode,
)
from masa_control.advantages import compute_group_advantages
from masa_control.decisions.allocation import plan_waves
from masa_control.decisions.experts import make_expert
from masa_control.loss import compute_rolled_out_share

from tests.masa_control.factories import PROMPT, make_episode, make_meta_rollout
from tests.masa_control.fakes import ScriptedVerifier, make_settings
from tests.masa_control.wave_world import G, SettledGroup, play_groups

EVEN = WavePlan(sizes=(2, 2, 4), right=1.0, wrong=1.0, worth=0.15)


def group(outcomes, mean=0.5, variance=0.0, tokens=10):
    made = tuple(letter == "r" for letter in outcomes)
    return SettledGroup("7", made, (tokens,) * len(made), Belief(mean, variance, "words", 50))


def play(outcomes, mean=0.5, *, waves=None, gate=None, audit=0.0, **more):
    planner = Planner(
        step=1, seed=0, reader="given", waves=waves, gate=gate, gate_audit=audit, **more
    )
    (episode,) = play_groups([group(outcomes, mean)], planner)
    return episode


def test_what_another_rollout_is_worth_is_the_variance_of_a_beta_posterior():
    # Beta(1, 1): 1/6. After two wrong Beta(1, 3): 3 / (4 * 5). After one of each Beta(2, 2): 1/5.
    assert EVEN.value(0, 0) == pytest.approx(1 / 6)
    assert EVEN.value(0, 2) == pytest.approx(3 / 20)
    assert EVEN.value(1, 1) == pytest.approx(1 / 5)
    assert EVEN.goes_on(0, 2)
    assert not EVEN.goes_on(0, 4)  # 5 / (6 * 7)


def test_long_solutions_are_worth_less_where_tokens_count():
    counted = WavePlan((2,), 1.0, 1.0, 0.1, usual_tokens=100.0)
    assert counted.value(1, 1, 200.0) == pytest.approx(1 / 10)
    assert counted.value(1, 1, 50.0) == pytest.approx(2 / 5)
    assert counted.value(1, 1) == EVEN.value(1, 1, 9999.0) == pytest.approx(1 / 5)


def test_waves_have_their_sizes_until_the_group_is_whole():
    assert [EVEN.size(wave, 16) for wave in range(5)] == [2, 2, 4, 4, 4]
    assert EVEN.size(2, 3) == 3


def test_the_prior_is_the_belief_and_a_little_of_both():
    made = plan_waves(WaveSettings(), Belief(0.25, 0.01, "x"), audited=True, usual_tokens=30.0)
    assert (made.right, made.wrong) == pytest.approx((0.3 + 1.5, 0.3 + 4.5))
    assert (made.sizes, made.worth, made.audited, made.audit) == ((2, 2, 4), 0.1, True, 0.05)
    assert made.usual_tokens is None
    own = WaveSettings(strength=None, per_token=True)
    # Beta(1, 3) is worth 4 outcomes; what is known for sure 64 at most.
    made = plan_waves(own, Belief(0.25, 3 / 80, "x"), audited=False, usual_tokens=30.0)
    assert (made.right, made.wrong, made.usual_tokens) == (
        pytest.approx(1.3),
        pytest.approx(3.3),
        30,
    )
    sure = plan_waves(own, Belief(1.0, 0.0, "x"), audited=False, usual_tokens=None)
    assert (sure.right, sure.wrong) == pytest.approx((64.3, 0.3))


@pytest.mark.parametrize("waves", [(), (1, 2), (2, 0)])
def test_waves_that_cannot_be_are_refused(waves):
    with pytest.raises(ValueError, match=r"numbers of rollouts >= 1, the first at least 2"):
        WaveSettings(waves=waves)


@pytest.mark.parametrize(
    ("outcomes", "mean", "made"),
    [
        ("wwwwwwww", 0.05, 2),  # Beta(0.6, 8.0) after two: 0.058
        ("wrwwwwww", 0.05, 8),  # Beta(1.6, 7.0) after two: 0.136; Beta(1.6, 9.0) after four: 0.117
        ("wwwwwwww", 0.2, 8),  # Beta(1.5, 7.1) after two: 0.129; Beta(1.5, 9.1) after four: 0.111
        ("wwwwwwww", 0.15, 4),  # Beta(1.2, 7.4) after two: 0.108; Beta(1.2, 9.4) after four: 0.092
        ("rrrrrrrr", 0.5, 8),
        ("rrrrrrrr", 0.97, 2),
    ],
)
def test_a_group_stops_where_little_is_left_to_learn(outcomes, mean, made):
    assert len(play(outcomes, mean, waves=WaveSettings()).solutions) == made


def test_what_a_stopped_group_knows_of_itself():
    stopped = play("wwrrrrrr", 0.02, waves=WaveSettings(audit=0.0))
    assert stopped.waves == WaveRecord(G, 2, audited=False, audit=0.0)
    assert (stopped.unmade, stopped.stopped_in_agreement) == (6, True)
    assert stopped.pass_rate == 0.0
    assert stopped.pass_rate_range == (0.0, 6 / 8)
    assert stopped.no_variance() is None
    assert stopped.no_variance("trivial") is False
    assert stopped.wave_weight == 1.0
    audited = play("wwrrrrrr", 0.02, waves=WaveSettings(audit=1.0))
    assert audited.waves == WaveRecord(G, 2, audited=True, audit=1.0)
    assert (audited.unmade, audited.pass_rate, audited.no_variance()) == (0, 6 / 8, False)


def test_variance_that_was_seen_is_known_without_an_audit():
    seen = play("wrwwwwww", 0.0, waves=WaveSettings(strength=40.0))
    assert seen.waves.stopped_at == 2
    assert seen.pass_rate_range == (1 / 8, 7 / 8)
    assert (seen.no_variance(), seen.stopped_in_agreement) == (False, False)
    audited = play("wrwwwwww", 0.0, waves=WaveSettings(strength=40.0, audit=0.999999))
    assert audited.waves.audited
    assert audited.wave_weight == 1.0  # it would be known anyhow
    agrees = play("wwwwwwww", 0.0, waves=WaveSettings(audit=0.999999))
    assert agrees.wave_weight == pytest.approx(1 / 0.999999)


def test_a_problem_that_an_audit_of_the_gate_rolls_out_is_rolled_out_whole():
    gate = ThresholdGateSettings()
    skipped = play("wwwwwwww", 0.02, waves=WaveSettings(), gate=gate)
    assert (skipped.skipped, skipped.waves, skipped.solutions) == ("unsolvable", None, ())
    audited = play("wwwwwwww", 0.02, waves=WaveSettings(), gate=gate, audit=1.0)
    assert (len(audited.solutions), audited.waves) == (G, None)


def test_without_a_belief_all_are_made_at_once():
    planner = Planner(step=1, seed=0, reader="given", waves=WaveSettings())
    plan = planner.plan("7", (), 100, belief=None)
    assert (plan.waves, plan.solve) == (None, True)


def test_an_engine_that_fails_in_a_later_wave_fails_the_episode():
    class Failing:
        calls = 0

        def encode(self, prompt):
            return [1]

        async def generate(self, token_ids, *, max_tokens, n, kind):
            self.calls += 1
            if self.calls > 1:
                raise RuntimeError("the engine died")
            return [Completion((1,), "4" if i else "5", False) for i in range(n)]

    playing = run_episode(
        Problem(id="7", text="2 + 2?", answer="4"),
        engine=Failing(),
        verifier=ScriptedVerifier(),
        settings=make_settings(0, G),
        planner=Planner(step=1, seed=0, reader="given", waves=WaveSettings()),
        belief=Belief(0.5, 0.0, "words"),
    )
    with pytest.raises(RuntimeError, match="the engine died"):
        asyncio.run(playing)


def test_a_stopped_group_makes_no_expert_that_states_an_open_number():
    predicted = [make_meta_rollout(4)]
    whole = make_episode("ww", predicted)
    stopped = make_episode("ww", predicted, waves=WaveRecord(8, 2, audited=False, audit=0.05))
    assert make_expert(whole, PROMPT, threshold=0.0, step=1).text
    assert make_expert(stopped, PROMPT, threshold=0.0, step=1) == "unknown_pass_rate"
    audited = make_episode("ww" * 4, predicted, waves=WaveRecord(8, 2, audited=True, audit=0.25))
    assert make_expert(audited, PROMPT, threshold=0.0, step=1).weight == 4.0


def test_unmade_solutions_count_in_the_loss_as_if_they_were_there():
    whole = make_episode("rwrwrwrw")
    stopped = make_episode("rw", waves=WaveRecord(8, 2, audited=False, audit=0.05))
    assert compute_rolled_out_share([whole, whole]) == 1
    assert compute_rolled_out_share([whole, stopped]) == pytest.approx((1 + 1 / 4) / 2)
    assert compute_rolled_out_share([whole, stopped], skipped=False) == pytest.approx(5 / 8)


# -- what stopping biases --------------------------------------------------------------------------


def grow(plan, outcomes):
    """How many rollouts of a whole group are made."""
    made = wave = 0
    while made < G:
        made += plan.size(wave, G - made)
        wave += 1
        right = sum(outcomes[:made])
        if not plan.goes_on(right, made - right):
            break
    return made


def expect(plan, rate):
    """Exact expectations over all outcomes of a group: rollouts, share right, size of the gradient.

    The gradient of a problem, mean over a whole group of (r_i - mean) d log π(y_i), is expected to
    be c dp: E[d log π | r] = (r - p) dp / (p (1 - p)), so c = E[Σ (r_i - mean)² / G] / (p (1 - p)).
    """
    rollouts = share = size = 0.0
    for outcomes in itertools.product((0, 1), repeat=G):
        chance = math.prod(rate if o else 1 - rate for o in outcomes)
        made = np.array(outcomes[: grow(plan, outcomes)])
        rollouts += chance * len(made)
        share += chance * made.mean()
        size += chance * ((made - made.mean()) ** 2).sum() / G / (rate * (1 - rate))
    return rollouts, share, size


def prior(rate, **settings):
    made = WaveSettings(**settings)
    return plan_waves(made, Belief(rate, 0.0, "x"), audited=False, usual_tokens=None)


@pytest.mark.parametrize("rate", [0.02, 0.05, 0.1])
def test_stopping_pulls_the_share_right_to_the_ends_and_shrinks_the_gradient(rate):
    """A hard problem stops after two wrong ones, and else goes on to the end; so by hand."""
    rollouts, share, size = expect(prior(rate), rate)
    first = 1 - (1 - rate) ** 2  # one of the first two is right
    assert rollouts == pytest.approx(2 * (1 - first) + 8 * first)
    right = 2 * rate + first * 6 * rate  # expected right ones of groups that went on
    assert share == pytest.approx(right / 8)
    squares = 2 * rate * (1 - rate) + 4 * rate**2 + 2 * rate * 2 * 6 * rate
    squares += first * (6 * rate * (1 - rate) + 36 * rate**2)
    assert size == pytest.approx((right - squares / 8) / 8 / (rate * (1 - rate)))
    # Of a problem at 0.1 the pass rate looks like 0.04, and 0.39 of the rollouts teach 0.37.
    if rate == 0.1:
        assert (share, rollouts / 8, size / (7 / 8)) == pytest.approx(
            (0.039, 0.393, 0.373), abs=6e-4
        )


@pytest.mark.parametrize("rate", [0.2, 0.5, 0.7])
def test_groups_between_the_ends_are_made_whole_and_unbiased(rate):
    assert expect(prior(rate), rate) == pytest.approx((8, rate, 7 / 8))
    assert expect(prior(rate, worth=0.0), rate) == pytest.approx((8, rate, 7 / 8))


def test_the_first_wave_alone_is_unbiased():
    for rate in (0.02, 0.1, 0.3):
        plan, share = prior(rate), 0.0
        for outcomes in itertools.product((0, 1), repeat=G):
            chance = math.prod(rate if o else 1 - rate for o in outcomes)
            share += chance * sum(outcomes[: plan.size(0, G)]) / 2
        assert share == pytest.approx(rate)


def test_stopping_leaves_the_gradient_its_direction():
    """A policy of five answers, two of them right, at real group advantages."""
    rng = np.random.default_rng(0)
    logits = np.array([-2.2, -2.0, 1.0, 0.5, 0.2])
    policy = np.exp(logits) / np.exp(logits).sum()
    right = np.array([1, 1, 0, 0, 0])
    rate = float(policy @ right)
    true = policy * (right - rate)  # dp / d logits
    total = np.zeros(5)
    groups, plan = 20_000, prior(rate, worth=0.12)
    for _ in range(groups):
        answers = rng.choice(5, size=G, p=policy)
        answers = answers[: grow(plan, right[answers])]
        advantages = compute_group_advantages(
            right[answers].tolist(),
            ["g"] * len(answers),
            [True] * len(answers),
            estimator="dr_grpo",
        )
        total += (advantages[:, None] * (np.eye(5)[answers] - policy)).sum(axis=0) / G
    measured = total / groups
    cosine = measured @ true / np.linalg.norm(measured) / np.linalg.norm(true)
    rollouts, _, size = expect(plan, rate)
    assert rollouts < 7
    assert cosine > 0.99
    assert measured @ true / (true @ true) == pytest.approx(size, rel=0.05)
