import pytest
from masa_control import ConfusionCounts, SavingsEstimate
from masa_control.measures.decision_counts import (
    count_cutoff,
    count_gate,
    estimate_cutoff_savings,
    estimate_gate_savings,
)

from tests.masa_control.factories import make_episode, make_plan, make_solution

ALL_RIGHT, MIXED, ALL_WRONG = "rrrr", "rrww", "wwww"


def skip(**settings):
    return make_plan(True, **settings)


@pytest.mark.parametrize(
    ("solutions", "made_plan", "tally"),
    [
        # skipped: one flagged, nobody knows
        ("", skip(), ConfusionCounts.of(1, 0)),
        # audited at ε = 0.25: rightly where all agree on the end that was named
        (ALL_WRONG, skip(audited=True), ConfusionCounts.of(1, 0, right=1, weight=4.0)),
        (MIXED, skip(audited=True), ConfusionCounts.of(1, 0, right=0, weight=4.0)),
        (ALL_RIGHT, skip(audited=True), ConfusionCounts.of(1, 0, right=0, weight=4.0)),
        (ALL_RIGHT, skip(audited=True, mean=1.0), ConfusionCounts.of(1, 0, right=1, weight=4.0)),
        # all its verifiers failed: flagged, nobody knows
        ("????", skip(audited=True), ConfusionCounts.of(1, 0)),
        # some failed: by those that were judged
        ("w?w!", skip(audited=True), ConfusionCounts.of(1, 0, right=1, weight=4.0)),
        # not flagged: missed where all agree, on either end
        (ALL_WRONG, make_plan(), ConfusionCounts.of(0, 1)),
        (ALL_RIGHT, make_plan(), ConfusionCounts.of(0, 1)),
        (MIXED, make_plan(), ConfusionCounts.of(0, 0)),
        ("????", make_plan(), ConfusionCounts.of(0, 0)),
        # cut ones could agree with the others: taken to, so that recall is not overstated
        ("wwcc", make_plan(allowed=50), ConfusionCounts.of(0, 1)),
        ("rrcc", make_plan(allowed=50), ConfusionCounts.of(0, 1)),
        ("rwcc", make_plan(allowed=50), ConfusionCounts.of(0, 0)),
        ("cccc", make_plan(allowed=50), ConfusionCounts.of(0, 1)),
        # one rollout agrees with itself
        ("r", make_plan(), ConfusionCounts.of(0, 1)),
        # no gate, no plan
        (MIXED, None, ConfusionCounts()),
    ],
)
def test_the_gates_tally(solutions, made_plan, tally):
    assert count_gate(make_episode(solutions, (), made_plan)) == tally


def test_what_the_gate_would_have_decided_counts_where_it_was_not_asked():
    would = make_plan(True).gate
    assert count_gate(make_episode(ALL_WRONG), would) == ConfusionCounts.of(
        1, 0, right=1, weight=1.0
    )
    assert count_gate(make_episode(MIXED), would) == ConfusionCounts.of(1, 0, right=0, weight=1.0)
    assert count_gate(make_episode(ALL_WRONG), make_plan(False).gate) == ConfusionCounts.of(0, 1)
    # Where it was asked, that is what counts.
    assert count_gate(make_episode(MIXED, (), make_plan(False)), would) == ConfusionCounts.of(0, 0)


def lengths(letters, *tokens, cut=None):
    return [make_solution(x, t) for x, t in zip(letters, tokens, strict=True)]


def test_a_cutoffs_tally_without_an_audit():
    # Allowed 50: two cut (one had stated the right answer), one wrong and short, one right.
    solutions = [
        make_solution("c", 50),
        make_solution("r", 50, cut="unknown"),
        make_solution("w", 20),
        make_solution("r", 30),
        make_solution("?", 40),
    ]
    assert count_cutoff(make_episode(solutions, (), make_plan(allowed=50))) == ConfusionCounts.of(
        2, 1
    )
    # A cut one whose verifier failed counts nowhere.
    failed = [make_solution("?", 50, cut="unknown"), make_solution("w", 20)]
    assert count_cutoff(make_episode(failed, (), make_plan(allowed=50))) == ConfusionCounts.of(0, 1)


def test_a_cutoffs_tally_of_an_audit():
    spared = make_plan(allowed=50, spared=True, cutoff_epsilon=0.2)
    solutions = lengths("wwrrw?", 51, 90, 80, 50, 50, 99)
    # beyond 50: two wrong and one right; exactly 50 is not beyond; one wrong one within
    assert count_cutoff(make_episode(solutions, (), spared)) == ConfusionCounts.of(
        3, 1, right=2, weight=5.0
    )
    within = lengths("rw", 10, 20)
    assert count_cutoff(make_episode(within, (), spared)) == ConfusionCounts.of(0, 1)


def test_a_cutoff_that_lowers_nothing_misses_what_is_wrong():
    assert count_cutoff(make_episode("rwww", (), make_plan(allowed=100))) == ConfusionCounts.of(
        0, 3
    )


def test_without_a_cutoff_or_solutions_there_is_no_tally():
    for made in (
        make_episode("rw"),
        make_episode("rw", (), make_plan()),
        make_episode("", (), skip(allowed=50)),
    ):
        assert count_cutoff(made) == ConfusionCounts()
        assert estimate_cutoff_savings(made) == SavingsEstimate()


def test_tokens_saved_by_the_gate():
    assert estimate_gate_savings(make_episode("", (), skip())) == SavingsEstimate(forgone=1.0)
    solutions = lengths("rrww", 10, 20, 30, 40)
    audited = estimate_gate_savings(make_episode(solutions, (), skip(audited=True)))
    assert audited == SavingsEstimate.audited(1, 100, 0.25)
    for other in (make_episode(solutions), make_episode(solutions, (), make_plan())):
        assert estimate_gate_savings(other) == SavingsEstimate()


def test_tokens_saved_by_the_cutoff():
    cut = [make_solution("c", 50), make_solution("r", 50, cut="unknown"), make_solution("w", 20)]
    assert estimate_cutoff_savings(make_episode(cut, (), make_plan(allowed=50))) == SavingsEstimate(
        forgone=2.0
    )
    spared = make_plan(allowed=50, spared=True, cutoff_epsilon=0.2)
    solutions = lengths("wwrr", 60, 90, 50, 10)
    assert estimate_cutoff_savings(make_episode(solutions, (), spared)) == SavingsEstimate.audited(
        2, 50, 0.2
    )
    assert (
        estimate_cutoff_savings(make_episode(lengths("wr", 50, 10), (), spared))
        == SavingsEstimate()
    )
