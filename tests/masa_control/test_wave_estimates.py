"""What audits say stays unbiased where groups are stopped, and where problems are chosen by chance.

Every rollout of every problem is settled beforehand, so what the ledger estimates can be held
against what would have been. Each estimate is compared over many worlds, and beside it stands the
one that forgets about chance, which has to fail.
"""

import math
import statistics
from functools import cache
from typing import NamedTuple

import pytest
from masa_control import (
    ChoiceGate,
    ConfusionCounts,
    Ledger,
    Planner,
    SavingsEstimate,
    ThresholdGateSettings,
    WaveSettings,
)
from masa_control.decisions.token_costs import SolutionCost
from masa_control.measures.decision_counts import estimate_gate_savings

from tests.masa_control.wave_world import G, play_groups, settle_groups

WORLDS, PROBLEMS = 12, 400
COST = SolutionCost(right=5.5, wrong=19.0, usual=13.0)
RULES = {
    "gate": {"gate": ThresholdGateSettings(low=0.06, high=0.97), "gate_audit": 0.25},
    "gate and waves": {
        "gate": ThresholdGateSettings(low=0.06, high=0.97),
        "gate_audit": 0.25,
        "waves": WaveSettings(audit=0.3),
    },
    "choice": {"gate": ChoiceGate(scale=3.0, floor=0.15, cost=COST)},
    "choice and waves": {
        "gate": ChoiceGate(scale=3.0, floor=0.15, cost=COST),
        "waves": WaveSettings(audit=0.3),
    },
}


class World(NamedTuple):
    """A step of one world: what was played, and what would have been."""

    groups: list
    episodes: list
    ledger: Ledger


@cache
def worlds(rule):
    played = []
    for seed in range(WORLDS):
        groups = settle_groups(seed, PROBLEMS)
        planner = Planner(step=1, seed=seed, reader="given", **RULES[rule])
        episodes, ledger = play_groups(groups, planner), Ledger()
        for episode in episodes:
            ledger.observe(episode)
        played.append(World(groups, episodes, ledger))
    return played


def mean_error(rule, estimate, truth):
    """Mean of estimate - truth over worlds, in its own standard errors."""
    errors = [estimate(world) - truth(world) for world in worlds(rule)]
    spread = statistics.stdev(errors) / math.sqrt(len(errors))
    return statistics.fmean(errors) / max(spread, 1e-9)


def assert_unbiased(rule, estimate, truth, forgetful):
    """The estimate is right on average; the one that forgets about chance is not."""
    assert abs(mean_error(rule, estimate, truth)) < 3.5
    assert abs(mean_error(rule, forgetful, truth)) > 5


def tally(world, name="gate"):
    return world.ledger.tallies.get(name, ConfusionCounts())


def pairs(world):
    return list(zip(world.groups, world.episodes, strict=True))


def skipped(world):
    return [g for g, e in pairs(world) if not e.solutions]


# -- the gate: what was flagged rightly, what was missed, what was saved ---------------------------


def end_is(group, episode):
    return set(group.outcomes) == {episode.plan.gate.end == "trivial"}


@pytest.mark.parametrize("rule", ["gate", "gate and waves"])
def test_how_many_problems_a_gate_flags_rightly(rule):
    def truth(world):
        return sum(e.plan.flagged and end_is(g, e) for g, e in pairs(world))

    def forgetful(world):  # those that were looked at, as if they were all
        return sum(e.plan.gate_audited and end_is(g, e) for g, e in pairs(world))

    assert_unbiased(rule, lambda w: tally(w).weighted_right, truth, forgetful)


def test_what_a_gate_misses_where_groups_are_stopped():
    def truth(world):
        return sum(not e.plan.flagged and g.agrees for g, e in pairs(world))

    def forgetful(world):  # a stopped group taken for a whole one
        return sum(
            not e.plan.flagged and e.pass_rate in (0.0, 1.0) for _, e in pairs(world) if e.solutions
        )

    def known_alone(world):  # stopped groups left out, audited ones counted once
        return sum(
            not e.plan.flagged and e.pass_rate in (0.0, 1.0) and len(e.solutions) == G
            for _, e in pairs(world)
        )

    rule = "gate and waves"
    assert_unbiased(rule, lambda w: tally(w).missed, truth, forgetful)
    assert abs(mean_error(rule, known_alone, truth)) > 5


@pytest.mark.parametrize("rule", ["gate", "gate and waves"])
@pytest.mark.parametrize("figure", ["precision", "recall", "f1"])
def test_figures_of_a_gate_are_those_of_whole_groups(rule, figure):
    def truth(world):
        right = sum(e.plan.flagged and end_is(g, e) for g, e in pairs(world))
        flagged = sum(e.plan.flagged for e in world.episodes)
        missed = sum(not e.plan.flagged and g.agrees for g, e in pairs(world))
        return {
            "precision": right / flagged,
            "recall": right / (right + missed),
            "f1": 2 * right / (flagged + right + missed),
        }[figure]

    # A ratio of unbiased sums: it strays by a part of its own spread.
    errors = [getattr(tally(w), figure).value - truth(w) for w in worlds(rule)]
    assert abs(statistics.fmean(errors)) < 0.03
    covered = [
        getattr(tally(w), figure).low <= truth(w) <= getattr(tally(w), figure).high
        for w in worlds(rule)
    ]
    assert statistics.fmean(covered) >= 0.75


@pytest.mark.parametrize("rule", ["gate", "gate and waves"])
def test_tokens_that_a_gate_saves(rule):
    def truth(world):
        return sum(sum(g.tokens) for g in skipped(world))

    def forgetful(world):  # what a problem costs that is rolled out
        made = [sum(len(s.completion.token_ids) for s in e.solutions) for e in world.episodes]
        rolled = [tokens for tokens in made if tokens]
        return len(skipped(world)) * statistics.fmean(rolled)

    def estimate(world):
        return world.ledger.metrics()["ledger/gate_tokens_saved"]

    assert_unbiased(rule, estimate, truth, forgetful)


# -- waves -----------------------------------------------------------------------------------------


def stopped(world):
    return [(g, e) for g, e in pairs(world) if e.waves and e.waves.stopped_at is not None]


@pytest.mark.parametrize("rule", ["gate and waves", "choice and waves"])
def test_how_many_groups_are_stopped_rightly(rule):
    def truth(world):
        return sum(e.stopped_in_agreement and g.agrees for g, e in stopped(world))

    def forgetful(world):
        return sum(e.stopped_in_agreement for _, e in stopped(world))

    assert_unbiased(rule, lambda w: tally(w, "waves").weighted_right, truth, forgetful)


@pytest.mark.parametrize("rule", ["gate and waves", "choice and waves"])
def test_tokens_that_waves_save(rule):
    def truth(world):
        return sum(sum(g.tokens[e.waves.stopped_at :]) for g, e in stopped(world) if e.unmade)

    def forgetful(world):  # audited groups stand for themselves too, which spared nothing
        audited = [e for _, e in stopped(world) if e.waves.audited]
        rest = [s for e in audited for s in e.solutions[e.waves.stopped_at :]]
        return sum(len(s.completion.token_ids) for s in rest) / 0.3

    def estimate(world):
        return world.ledger.metrics()["ledger/waves_tokens_saved"]

    if rule == "choice and waves":  # chance has left few groups that are stopped
        assert abs(mean_error(rule, estimate, truth)) < 3.5
    else:
        assert_unbiased(rule, estimate, truth, forgetful)


def test_what_is_made_and_what_is_not_add_up():
    for world in worlds("gate and waves"):
        counts = world.ledger.metrics()
        made, unmade = counts["ledger/solution_rollouts"], counts["ledger/rollouts_unmade"]
        assert made + unmade + G * len(skipped(world)) == G * PROBLEMS
        assert counts["ledger/groups_stopped"] == len(stopped(world))


# -- choice ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", ["choice", "choice and waves"])
def test_how_many_problems_without_variance_are_passed_over(rule):
    def truth(world):
        return sum(g.agrees for g in skipped(world))

    def forgetful(world):  # as many of those passed over as of those kept
        kept = [e for e in world.episodes if e.solutions]
        agree = statistics.fmean(e.pass_rate in (0.0, 1.0) for e in kept)
        return agree * len(skipped(world))

    assert_unbiased(rule, lambda w: tally(w).weighted_right, truth, forgetful)


@pytest.mark.parametrize("rule", ["choice", "choice and waves"])
def test_precision_and_recall_of_a_choice(rule):
    def truth(world):
        right = sum(g.agrees for g in skipped(world))
        kept = sum(g.agrees for g, e in pairs(world) if e.solutions)
        return right / len(skipped(world)), right / (right + kept)

    for number, figure in enumerate(("precision", "recall")):
        errors = [getattr(tally(w), figure).value - truth(w)[number] for w in worlds(rule)]
        assert abs(statistics.fmean(errors)) < 0.05
        covered = [
            getattr(tally(w), figure).low <= truth(w)[number] <= getattr(tally(w), figure).high
            for w in worlds(rule)
        ]
        assert statistics.fmean(covered) >= 0.75


def test_tokens_that_a_choice_saves():
    def truth(world):
        return sum(sum(g.tokens) for g in skipped(world))

    def forgetful(world):
        kept = [e for e in world.episodes if e.solutions]
        made = [sum(len(s.completion.token_ids) for s in e.solutions) for e in kept]
        return statistics.fmean(made) * len(skipped(world))

    def estimate(world):
        return world.ledger.metrics()["ledger/gate_tokens_saved"]

    assert_unbiased("choice", estimate, truth, forgetful)


def test_a_problem_that_was_surely_kept_stands_for_itself():
    groups = settle_groups("sure", 40)
    planner = Planner(step=1, seed=0, reader="given", gate=ChoiceGate(None, 0.1))
    episodes = play_groups(groups, planner)
    assert all(e.solutions and e.weight == 1 for e in episodes)
    total = sum(map(estimate_gate_savings, episodes), SavingsEstimate())
    assert total == SavingsEstimate()
