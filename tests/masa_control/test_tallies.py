import pytest
from masa_control import Tally, Total
from masa_control.measures.decision_counts import cutoff_saved, cutoff_tally, gate_saved, gate_tally

from tests.masa_control.made import episode, plan, solution

ALL_RIGHT, MIXED, ALL_WRONG = "rrrr", "rrww", "wwww"


def skip(**settings):
    return plan(True, **settings)


@pytest.mark.parametrize(
    ("solutions", "made_plan", "tally"),
    [
        # skipped: one flagged, nobody knows
        ("", skip(), Tally.of(1, 0)),
        # audited at ε = 0.25: rightly where all agree on the end that was named
        (ALL_WRONG, skip(audited=True), Tally.of(1, 0, right=1, weight=4.0)),
        (MIXED, skip(audited=True), Tally.of(1, 0, right=0, weight=4.0)),
        (ALL_RIGHT, skip(audited=True), Tally.of(1, 0, right=0, weight=4.0)),
        (ALL_RIGHT, skip(audited=True, mean=1.0), Tally.of(1, 0, right=1, weight=4.0)),
        # all its verifiers failed: flagged, nobody knows
        ("????", skip(audited=True), Tally.of(1, 0)),
        # some failed: by those that were judged
        ("w?w!", skip(audited=True), Tally.of(1, 0, right=1, weight=4.0)),
        # not flagged: missed where all agree, on either end
        (ALL_WRONG, plan(), Tally.of(0, 1)),
        (ALL_RIGHT, plan(), Tally.of(0, 1)),
        (MIXED, plan(), Tally.of(0, 0)),
        ("????", plan(), Tally.of(0, 0)),
        # cut ones could agree with the others: taken to, so that recall is not overstated
        ("wwcc", plan(allowed=50), Tally.of(0, 1)),
        ("rrcc", plan(allowed=50), Tally.of(0, 1)),
        ("rwcc", plan(allowed=50), Tally.of(0, 0)),
        ("cccc", plan(allowed=50), Tally.of(0, 1)),
        # one rollout agrees with itself
        ("r", plan(), Tally.of(0, 1)),
        # no gate, no plan
        (MIXED, None, Tally()),
    ],
)
def test_the_gates_tally(solutions, made_plan, tally):
    assert gate_tally(episode(solutions, (), made_plan)) == tally


def test_what_the_gate_would_have_decided_counts_where_it_was_not_asked():
    would = plan(True).gate
    assert gate_tally(episode(ALL_WRONG), would) == Tally.of(1, 0, right=1, weight=1.0)
    assert gate_tally(episode(MIXED), would) == Tally.of(1, 0, right=0, weight=1.0)
    assert gate_tally(episode(ALL_WRONG), plan(False).gate) == Tally.of(0, 1)
    # Where it was asked, that is what counts.
    assert gate_tally(episode(MIXED, (), plan(False)), would) == Tally.of(0, 0)


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
    assert cutoff_tally(episode(solutions, (), plan(allowed=50))) == Tally.of(2, 1)
    # A cut one whose verifier failed counts nowhere.
    failed = [solution("?", 50, cut="unknown"), solution("w", 20)]
    assert cutoff_tally(episode(failed, (), plan(allowed=50))) == Tally.of(0, 1)


def test_a_cutoffs_tally_of_an_audit():
    spared = plan(allowed=50, spared=True, cutoff_epsilon=0.2)
    solutions = lengths("wwrrw?", 51, 90, 80, 50, 50, 99)
    # beyond 50: two wrong and one right; exactly 50 is not beyond; one wrong one within
    assert cutoff_tally(episode(solutions, (), spared)) == Tally.of(3, 1, right=2, weight=5.0)
    within = lengths("rw", 10, 20)
    assert cutoff_tally(episode(within, (), spared)) == Tally.of(0, 1)


def test_a_cutoff_that_lowers_nothing_misses_what_is_wrong():
    assert cutoff_tally(episode("rwww", (), plan(allowed=100))) == Tally.of(0, 3)


def test_without_a_cutoff_or_solutions_there_is_no_tally():
    for made in (episode("rw"), episode("rw", (), plan()), episode("", (), skip(allowed=50))):
        assert cutoff_tally(made) == Tally()
        assert cutoff_saved(made) == Total()


def test_tokens_saved_by_the_gate():
    assert gate_saved(episode("", (), skip())) == Total(forgone=1.0)
    solutions = lengths("rrww", 10, 20, 30, 40)
    audited = gate_saved(episode(solutions, (), skip(audited=True)))
    assert audited == Total.audited(1, 100, 0.25)
    for other in (episode(solutions), episode(solutions, (), plan())):
        assert gate_saved(other) == Total()


def test_tokens_saved_by_the_cutoff():
    cut = [solution("c", 50), solution("r", 50, cut="unknown"), solution("w", 20)]
    assert cutoff_saved(episode(cut, (), plan(allowed=50))) == Total(forgone=2.0)
    spared = plan(allowed=50, spared=True, cutoff_epsilon=0.2)
    solutions = lengths("wwrr", 60, 90, 50, 10)
    assert cutoff_saved(episode(solutions, (), spared)) == Total.audited(2, 50, 0.2)
    assert cutoff_saved(episode(lengths("wr", 50, 10), (), spared)) == Total()
