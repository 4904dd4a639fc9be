"""Drawing problems and replacing them, without an engine: what dynamic sampling keeps."""

from types import SimpleNamespace

import pytest
from masa_control import Stopwatch


@pytest.fixture(scope="module")
def samples(importable_here):
    from masa_openrlhf.stack import samples

    return samples


class Ref:
    def __init__(self, number, pass_rate):
        self.number = number
        skipped = "trivial" if pass_rate == "skipped" else None
        self.episode = SimpleNamespace(
            pass_rate=None if skipped else pass_rate, number=number, skipped=skipped
        )


class Ray:
    """Refs that are done in the order given; an episode is its pass rate."""

    def __init__(self, order):
        self._order = order

    def wait(self, pending, num_returns):
        first = min(pending, key=lambda ref: self._order(ref))
        return [first], [ref for ref in pending if ref is not first]

    def get(self, refs):
        return refs if isinstance(refs, list) else refs.episode


def generator(
    samples,
    monkeypatch,
    rates,
    *,
    batch=3,
    order=lambda ref: ref.number,
    refill_limit=None,
    ahead=1.0,
):
    monkeypatch.setattr(samples, "ray", Ray(order))
    made = object.__new__(samples.EpisodeGenerator)
    made.args = SimpleNamespace(rollout=SimpleNamespace(batch_size=batch))
    made.vllm_engines = []
    made._watch = Stopwatch()
    made._refill_limit, made._ahead = refill_limit, ahead
    made.dispatched = []

    def dispatch(prompts, labels, *, images, **_):
        refs = [Ref(int(prompt), rates[int(prompt)]) for prompt in prompts]
        made.dispatched.append(len(prompts))
        return refs

    made._dispatch_prompts_to_vllm = dispatch
    loader = iter([([0], [str(i)], [{}], [None]) for i in range(len(rates))])
    return made, loader


def play(made, loader, samples, filtering):
    made.args.algo = SimpleNamespace(dynamic_filtering_enable=filtering)
    return made._play(loader, samples.Phase("train", 1), discard=made._discard)


def test_a_batch_in_the_order_it_was_drawn_whoever_is_done_first(samples, monkeypatch):
    made, loader = generator(samples, monkeypatch, [0.0, 0.5, 1.0, 0.5], order=lambda r: -r.number)
    assert play(made, loader, samples, filtering=False) == (3, False)
    assert [e.number for e in made.episodes] == [0, 1, 2]
    assert made.replaced == []


def test_problems_whose_solutions_agree_are_replaced_at_once(samples, monkeypatch):
    made, loader = generator(samples, monkeypatch, [0.0, 0.5, 1.0, None, 0.25, 0.75, 0.5])
    drawn, over = play(made, loader, samples, filtering=True)
    assert (drawn, over) == (6, False)
    assert [e.number for e in made.episodes] == [1, 4, 5]
    assert [e.number for e in made.replaced] == [0, 2, 3]


def test_when_the_problems_run_out_the_batch_is_smaller(samples, monkeypatch):
    made, loader = generator(samples, monkeypatch, [0.0, 0.5, 1.0, 0.0])
    drawn, over = play(made, loader, samples, filtering=True)
    assert (drawn, over) == (4, True)
    assert [e.number for e in made.episodes] == [1]
    assert len(made.replaced) == 3


def test_the_last_batch_of_an_epoch(samples, monkeypatch):
    made, loader = generator(samples, monkeypatch, [0.5, 0.5, 0.5, 0.5])
    assert play(made, loader, samples, filtering=False) == (3, False)
    assert play(made, loader, samples, filtering=False) == (1, True)
    assert [e.number for e in made.episodes] == [3]
    assert play(made, loader, samples, filtering=False) == (0, True)
    assert made.episodes == []


@pytest.mark.parametrize("order", [lambda r: r.number, lambda r: -r.number])
def test_skipped_problems_are_filled_up_whoever_is_done_first(samples, monkeypatch, order):
    rates = ["skipped", 0.5, "skipped", "skipped", 1.0, 0.5, 0.0]
    made, loader = generator(samples, monkeypatch, rates, order=order, refill_limit=9)
    assert play(made, loader, samples, filtering=False) == (6, False)
    assert [e.number for e in made.episodes] == [0, 1, 2, 3, 4, 5]
    assert sum(e.skipped is None for e in made.episodes) == 3
    assert made.replaced == []


def test_a_batch_is_not_filled_up_for_ever(samples, monkeypatch):
    made, loader = generator(samples, monkeypatch, ["skipped"] * 20, refill_limit=7)
    assert play(made, loader, samples, filtering=False) == (7, False)


def test_without_refill_a_skipped_problem_leaves_a_gap(samples, monkeypatch):
    made, loader = generator(samples, monkeypatch, ["skipped", 0.5, 0.5, 0.5])
    assert play(made, loader, samples, filtering=False) == (3, False)
    assert [e.number for e in made.episodes] == [0, 1, 2]


def test_dynamic_sampling_replaces_what_was_skipped(samples, monkeypatch):
    made, loader = generator(samples, monkeypatch, ["skipped", 0.5, 1.0, 0.5, 0.25])
    assert play(made, loader, samples, filtering=True) == (5, False)
    assert [e.number for e in made.episodes] == [1, 3, 4]
    assert [e.number for e in made.played] == [0, 1, 2, 3, 4]


RATES = [0.0, 0.5, 1.0, None, 0.25, 0.75, 0.5, 0.5, 0.0]


@pytest.mark.parametrize("order", [lambda r: r.number, lambda r: -r.number])
@pytest.mark.parametrize(
    ("ahead", "drawn_together", "replaced"),
    [
        (1.0, [3, 1, 1, 1], [0, 2, 3]),
        (4 / 3, [4, 3], [0, 2, 3, 6]),  # two missing after four: three more, one too many
        (3.0, [9], [0, 2, 3, 6, 7, 8]),  # at once, three good ones too many
    ],
)
def test_problems_may_be_drawn_ahead_together(
    samples, monkeypatch, order, ahead, drawn_together, replaced
):
    made, loader = generator(samples, monkeypatch, RATES, ahead=ahead, order=order)
    play(made, loader, samples, filtering=True)
    assert made.dispatched == drawn_together
    assert [e.number for e in made.episodes] == [1, 4, 5]
    assert [e.number for e in made.replaced] == replaced


def test_places_of_skipped_problems_are_filled_up_together(samples, monkeypatch):
    rates = ["skipped", 0.5, "skipped", "skipped", 1.0, 0.5, 0.0, 0.5]
    made, loader = generator(samples, monkeypatch, rates, refill_limit=9, ahead=2.0)
    assert play(made, loader, samples, filtering=False) == (6, False)
    assert made.dispatched == [6]
    assert [e.number for e in made.episodes] == [0, 1, 2, 3, 4, 5]
    made, loader = generator(samples, monkeypatch, ["skipped"] * 20, refill_limit=7, ahead=2.0)
    assert play(made, loader, samples, filtering=False) == (7, False)
    assert made.dispatched == [6, 1]


def test_nothing_is_drawn_ahead_where_nothing_is_replaced(samples, monkeypatch):
    made, loader = generator(samples, monkeypatch, [0.5] * 9, ahead=2.0)
    assert play(made, loader, samples, filtering=False) == (3, False)
