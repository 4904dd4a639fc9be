"""Filling a batch: which problems are replaced, and how many are drawn at once."""

from types import SimpleNamespace

import pytest
from masa_control import RefillRules, fill_batch


class Problems:
    """Problems of a data set, each with the pass rate that its episode will have.

    Args:
        rates: a pass rate a problem; None: none could be judged; "skipped": the gate skips it.
        order: episodes that are being played are done in this order.
    """

    def __init__(self, rates, order=lambda number: number):
        self._rates, self._order = rates, order
        self._next = 0
        self.drawn_together = []

    def _start(self, count):
        refs = list(range(self._next, min(self._next + count, len(self._rates))))
        self._next += len(refs)
        self.drawn_together.append(len(refs))
        return refs, len(refs) < count

    def _wait(self, pending):
        number = min(pending, key=self._order)
        rate = self._rates[number]
        skipped = "trivial" if rate == "skipped" else None
        pass_rate = None if skipped else rate
        return number, SimpleNamespace(pass_rate=pass_rate, number=number, skipped=skipped)

    def fill(self, **rules):
        return fill_batch(RefillRules(3, **rules), self._start, self._wait)


def numbers(episodes):
    return [episode.number for episode in episodes]


def test_a_batch_in_the_order_it_was_drawn_whoever_is_done_first():
    batch = Problems([0.0, 0.5, 1.0, 0.5], order=lambda number: -number).fill()
    assert numbers(batch.episodes) == numbers(batch.played) == [0, 1, 2]
    assert (batch.replaced, batch.is_over) == ([], False)


def test_problems_whose_solutions_agree_are_replaced_at_once():
    batch = Problems([0.0, 0.5, 1.0, None, 0.25, 0.75, 0.5]).fill(dynamic=True)
    assert (len(batch.played), batch.is_over) == (6, False)
    assert numbers(batch.episodes) == [1, 4, 5]
    assert numbers(batch.replaced) == [0, 2, 3]


def test_when_the_problems_run_out_the_batch_is_smaller():
    batch = Problems([0.0, 0.5, 1.0, 0.0]).fill(dynamic=True)
    assert (len(batch.played), batch.is_over) == (4, True)
    assert numbers(batch.episodes) == [1]
    assert len(batch.replaced) == 3


def test_the_last_batch_of_an_epoch():
    problems = Problems([0.5, 0.5, 0.5, 0.5])
    assert (len(problems.fill().played), problems.fill().is_over) == (3, True)
    last = problems.fill()
    assert (last.episodes, last.played, last.is_over) == ([], [], True)


@pytest.mark.parametrize("order", [lambda number: number, lambda number: -number])
def test_skipped_problems_are_filled_up_whoever_is_done_first(order):
    rates = ["skipped", 0.5, "skipped", "skipped", 1.0, 0.5, 0.0]
    batch = Problems(rates, order).fill(limit=9)
    assert numbers(batch.episodes) == [0, 1, 2, 3, 4, 5]
    assert sum(e.skipped is None for e in batch.episodes) == 3
    assert (batch.replaced, batch.is_over) == ([], False)


def test_a_batch_is_not_filled_up_for_ever():
    batch = Problems(["skipped"] * 20).fill(limit=7)
    assert (len(batch.played), batch.is_over) == (7, False)


def test_without_refill_a_skipped_problem_leaves_a_gap():
    batch = Problems(["skipped", 0.5, 0.5, 0.5]).fill()
    assert numbers(batch.episodes) == [0, 1, 2]


def test_dynamic_sampling_replaces_what_was_skipped():
    batch = Problems(["skipped", 0.5, 1.0, 0.5, 0.25]).fill(dynamic=True)
    assert numbers(batch.episodes) == [1, 3, 4]
    assert numbers(batch.played) == [0, 1, 2, 3, 4]


RATES = [0.0, 0.5, 1.0, None, 0.25, 0.75, 0.5, 0.5, 0.0]


@pytest.mark.parametrize("order", [lambda number: number, lambda number: -number])
@pytest.mark.parametrize(
    ("ahead", "drawn_together", "replaced"),
    [
        (1.0, [3, 1, 1, 1], [0, 2, 3]),
        (4 / 3, [4, 3], [0, 2, 3, 6]),  # two missing after four: three more, one too many
        (3.0, [9], [0, 2, 3, 6, 7, 8]),  # at once, three good ones too many
    ],
)
def test_problems_may_be_drawn_ahead_together(order, ahead, drawn_together, replaced):
    problems = Problems(RATES, order)
    batch = problems.fill(dynamic=True, ahead=ahead)
    assert problems.drawn_together == drawn_together
    assert numbers(batch.episodes) == [1, 4, 5]
    assert numbers(batch.replaced) == replaced


def test_places_of_skipped_problems_are_filled_up_together():
    problems = Problems(["skipped", 0.5, "skipped", "skipped", 1.0, 0.5, 0.0, 0.5])
    batch = problems.fill(limit=9, ahead=2.0)
    assert problems.drawn_together == [6]
    assert numbers(batch.episodes) == [0, 1, 2, 3, 4, 5]
    problems = Problems(["skipped"] * 20)
    assert len(problems.fill(limit=7, ahead=2.0).played) == 7
    assert problems.drawn_together == [6, 1]


def test_nothing_is_drawn_ahead_where_nothing_is_replaced():
    problems = Problems([0.5] * 9)
    assert len(problems.fill(ahead=2.0).played) == 3
    assert problems.drawn_together == [3]
