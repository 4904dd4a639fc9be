"""Problems that recur: Beta posteriors, worked out by hand."""

import json

import pytest
from masa_control.readers.history import HistoryReader
from masa_control.readers.protocol import GroupOutcome, ProblemView
from masa_control.readers.settings import HistoryReaderSettings


def reader(**settings):
    return HistoryReader(HistoryReaderSettings(**settings))


def test_a_problem_that_was_never_tried_is_not_known():
    history = reader()
    assert history.read(ProblemView("a"), 1) is None
    history.observe([GroupOutcome("b", 2, 4), GroupOutcome("c", 0, 0)], 1)
    assert history.read(ProblemView("a"), 2) is None
    assert history.read(ProblemView("c"), 2) is None
    assert history.metrics() == {"reader/problems": 1.0}


def test_outcomes_and_the_mean_of_all_make_a_beta_distribution():
    history = reader(prior=2.0, half_life=1e9)
    history.observe([GroupOutcome("a", 0, 8), GroupOutcome("b", 8, 8)], 1)
    # Half of all were right: Beta(1 + 0, 1 + 8).
    belief = history.read(ProblemView("a"), 2)
    assert belief.mean == pytest.approx(1 / 10)
    assert belief.strength == pytest.approx(10)
    assert (belief.source, belief.seen) == ("history", 8)


def test_outcomes_are_forgotten_by_halves():
    history = reader(prior=2.0, half_life=10)
    history.observe([GroupOutcome("a", 0, 8), GroupOutcome("b", 8, 8)], 1)
    # After 20 steps 8 wrong ones count 2: Beta(1, 1 + 2).
    assert history.read(ProblemView("a"), 21).mean == pytest.approx(1 / 4)
    # Tried again, 8 right: Beta(s m + 8, s (1 - m) + 2), m = 16/24.
    history.observe([GroupOutcome("a", 8, 8)], 21)
    assert history.read(ProblemView("a"), 21).mean == pytest.approx((2 * 2 / 3 + 8) / (2 + 8 + 2))


def test_it_goes_on_exactly_from_a_saved_state():
    history, other = reader(), reader()
    history.observe([GroupOutcome("a", 3, 8), GroupOutcome("b", 1, 4)], 5)
    other.load_state_dict(json.loads(json.dumps(history.state_dict())))
    assert other.state_dict() == history.state_dict()
    assert other.read(ProblemView("a"), 9) == history.read(ProblemView("a"), 9)
    damaged = {**history.state_dict(), "right": -1.0}
    with pytest.raises(ValueError, match="damaged"):
        other.load_state_dict(damaged)
    assert other.state_dict() == history.state_dict()
