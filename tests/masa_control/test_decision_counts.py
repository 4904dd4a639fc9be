import pytest
from masa_control import ConfusionCounts, SavingsEstimate
from masa_control.measures.decision_counts import (
    count_cutoff,
    count_gate,
    estimate_cutoff_savings,
    estimate_gate_savings,
)

from tests.masa_control.factories import episode, plan, solution

ALL_RIGHT, MIXED, ALL_WRONG = "rrrr", "rrww", "wwww"


def skip(**settings):
    return plan(True, **settings)


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
        (ALL_WRONG, plan(), ConfusionCounts.of(0, 1)),
        (ALL_RIGHT, plan(), ConfusionCounts.of(0, 1)),
        (MIXED, plan(), ConfusionCounts.of(0, 0)),
        ("????", plan(), ConfusionCounts.of(0, 0)),
        # cut ones could agree with the others: taken to, so that recall is not overstated
        ("wwcc", plan(allowed=50), ConfusionCounts.of(0, 1)),
        ("rrcc", plan(allowed=50), ConfusionCounts.of(0, 1)),
        ("rwcc", plan(allowed=50), ConfusionCounts.of(0, 0)),
        ("cccc", plan(allowed=50), ConfusionCounts.of(0, 1)),
        # one rollout agrees with itself
        ("r", plan(), ConfusionCounts.of(0, 1)),
        # no gate, no plan
        (MIXED, None, ConfusionCounts()),
    ],
)
def test_the_gates_tally(solutions, made_plan, tally):
    assert count_gate(episode(solutions, (), made_plan)) == tally


def test_what_the_gate_would_have_decided_counts_where_it_was_not_asked():
    would = plan(True).gate
    assert count_gate(episode(ALL_WRONG), would) == ConfusionCounts.of(1, 0, right=1, weight=1.0)
    assert count_gate(episode(MIXED), would) == ConfusionCounts.of(1, 0, right=0, weight=1.0)
    assert count_gate(episode(ALL_WRONG), plan(False).gate) == ConfusionCounts.of(0, 1)
    # Where it was asked, that is what counts.
    assert count_gate(episode(MIXED, (), plan(False)), would) == ConfusionCounts.of(0, 0)


def lengths(letters, *tokens, cut=None):
    return [solution(x, t) for x, t in zip(letters, tokens, strict=True)]


def test_a_cutoffs_tally_without_an_audit():
    # Allowed 50: two cut (one had stated the right answer), one wrong and short, one right.
    solutions = [
        solution("c", 50),
        solution("r", 50, cut="unknown"),
        solution("w", 20),
        solution("r", 30),
        solution("?", 40),
    ]
    assert count_cutoff(episode(solutions, (), plan(allowed=50))) == ConfusionCounts.of(2, 1)
    # A cut one whose verifier failed counts nowhere.
    failed = [solution("?", 50, cut="unknown"), solution("w", 20)]
    assert count_cutoff(episode(failed, (), plan(allowed=50))) == ConfusionCounts.of(0, 1)


def test_a_cutoffs_tally_of_an_audit():
    spared = plan(allowed=50, spared=True, cutoff_epsilon=0.2)
    solutions = lengths("wwrrw?", 51, 90, 80, 50, 50, 99)
    # beyond 50: two wrong and one right; exactly 50 is not beyond; one wrong one within
    assert count_cutoff(episode(solutions, (), spared)) == ConfusionCounts.of(
        3, 1, right=2, weight=5.0
    )
    within = lengths("rw", 10, 20)
    assert count_cutoff(episode(within, (), spared)) == ConfusionCounts.of(0, 1)


def test_a_cutoff_that_lowers_nothing_misses_what_is_wrong():
    assert count_cutoff(episode("rwww", (), plan(allowed=100))) == ConfusionCounts.of(0, 3)


def test_without_a_cutoff_or_solutions_there_is_no_tally():
    for made in (episode("rw"), episode("rw", (), plan()), episode("", (), skip(allowed=50))):
        assert count_cutoff(made) == ConfusionCounts()
        assert estimate_cutoff_savings(made) == SavingsEstimate()


def test_tokens_saved_by_the_gate():
    assert estimate_gate_savings(episode("", (), skip())) == SavingsEstimate(forgone=1.0)
    solutions = lengths("rrww", 10, 20, 30, 40)
    audited = estimate_gate_savings(episode(solutions, (), skip(audited=True)))
    assert audited == SavingsEstimate.audited(1, 100, 0.25)
    for other in (episode(solutions), episode(solutions, (), plan())):
        assert estimate_gate_savings(other) == SavingsEstimate()


def test_tokens_saved_by_the_cutoff():
    cut = [solution("c", 50), solution("r", 50, cut="unknown"), solution("w", 20)]
    assert estimate_cutoff_savings(episode(cut, (), plan(allowed=50))) == SavingsEstimate(
        forgone=2.0
    )
    spared = plan(allowed=50, spared=True, cutoff_epsilon=0.2)
    solutions = lengths("wwrr", 60, 90, 50, 10)
    assert estimate_cutoff_savings(episode(solutions, (), spared)) == SavingsEstimate.audited(
        2, 50, 0.2
    )
    assert estimate_cutoff_savings(episode(lengths("wr", 50, 10), (), spared)) == SavingsEstimate()
