"""Words and probe: they learn, are as sure as they are right, and go on from a state exactly."""

import json
import math

import numpy as np
import pytest
from masa_control.episode.belief import Belief
from masa_control.readers.build import build_reader, find_reader_needs
from masa_control.readers.protocol import GroupOutcome, ProblemView
from masa_control.readers.regression_reader import ProbeReader, WordsReader
from masa_control.readers.settings import (
    DistributionReaderSettings,
    HistoryReaderSettings,
    ProbeReaderSettings,
    SampledReaderSettings,
    WordsReaderSettings,
)

VOCABULARY, WIDTH = 40, 24


class World:
    """Problems of a few words; each word makes a problem easier or harder."""

    def __init__(self, seed, hidden=False):
        self._rng = np.random.default_rng(seed)
        self._hidden = hidden
        self._ease = self._rng.normal(0, 1.2, VOCABULARY)
        self._map = self._rng.normal(0, 1, (VOCABULARY, WIDTH))
        self._number = 0

    def problem(self):
        """A view of a problem, and its true pass rate."""
        self._number += 1
        words = self._rng.integers(0, VOCABULARY, 5)
        hidden = None
        if self._hidden:
            counts = np.bincount(words, minlength=VOCABULARY)
            hidden = (counts @ self._map + self._rng.normal(0, 0.3, WIDTH)).astype(np.float32)
        rate = 1 / (1 + math.exp(-self._ease[words].sum()))
        prompt = (900, *words.tolist(), 901)
        return ProblemView(f"p{self._number}", prompt, hidden), rate

    def roll_out(self, name, rate, rollouts=8):
        return GroupOutcome(name, int(self._rng.binomial(rollouts, rate)), rollouts)


def make(kind, **settings):
    return (
        WordsReader(WordsReaderSettings(**settings))
        if kind == "words"
        else ProbeReader(ProbeReaderSettings(**settings))
    )


def train(reader, world, steps, problems=8, first=1):
    for step in range(first, first + steps):
        drawn = [world.problem() for _ in range(problems)]
        for view, _ in drawn:
            reader.read(view, step)
        reader.observe([world.roll_out(view.problem_id, rate) for view, rate in drawn], step)


@pytest.mark.parametrize("kind", ["words", "probe"])
def test_nothing_is_believed_before_enough_is_known(kind):
    world, reader = World(0, kind == "probe"), make(kind, min_groups=24)
    train(reader, world, 2)
    assert reader.read(world.problem()[0], 3) is None
    assert reader.metrics() == {"reader/groups": 16.0}
    train(reader, world, 1, first=3)
    found = reader.read(world.problem()[0], 4)
    assert isinstance(found, Belief)
    assert (found.source, found.seen) == (kind, 24)


@pytest.mark.parametrize(("kind", "least"), [("words", 0.85), ("probe", 0.7)])
def test_it_reads_pass_rates_that_it_has_not_seen(kind, least):
    world, reader = World(1, kind == "probe"), make(kind)
    train(reader, world, 50)
    held_out = [world.problem() for _ in range(200)]
    read = np.array([reader.read(view, 51).mean for view, _ in held_out])
    true = np.array([rate for _, rate in held_out])
    assert np.corrcoef(read, true)[0, 1] > least
    # Nothing is known of words that were dealt out anew.
    wrong = np.random.default_rng(0).permutation(true)
    assert abs(np.corrcoef(read, wrong)[0, 1]) < 0.25


def test_it_is_as_sure_as_it_is_right():
    """Standardised errors of its beliefs have a mean square near 1, over worlds."""
    squares, plain, spread = [], [], []
    for seed in range(6):
        world, reader = World(seed), make("words")
        train(reader, world, 12)
        for view, rate in (world.problem() for _ in range(100)):
            belief = reader.read(view, 13)
            squares.append((rate - belief.mean) ** 2 / belief.variance)
            plain.append((rate - belief.mean) ** 2)
            spread.append(belief.variance)
    assert 0.6 < np.mean(squares) < 1.5
    assert np.mean(plain) == pytest.approx(np.mean(spread), rel=0.35)


@pytest.mark.parametrize("kind", ["words", "probe"])
def test_more_groups_make_it_surer(kind):
    world, reader = World(2, kind == "probe"), make(kind)
    views = [world.problem()[0] for _ in range(40)]
    spread = []
    for steps in (6, 40):
        train(reader, world, steps)
        spread.append(np.mean([reader.read(view, 99).variance for view in views]))
    assert spread[1] < 0.7 * spread[0]


def test_a_problem_of_strange_words_is_less_sure():
    world, reader = World(3), make("words")
    train(reader, world, 20)
    view, _ = world.problem()
    strange = ProblemView("s", (900, 501, 502, 503, 504, 505, 901))
    known, unknown = reader.read(view, 21), reader.read(strange, 21)
    assert unknown.strength < known.strength


@pytest.mark.parametrize("kind", ["words", "probe"])
def test_it_goes_on_exactly_from_a_saved_state(kind):
    def story(resume_after):
        world, reader = World(4, kind == "probe"), make(kind, window=50)
        said = []
        for step in range(1, 13):
            drawn = [world.problem() for _ in range(8)]
            said += [reader.read(view, step) for view, _ in drawn]
            reader.observe([world.roll_out(v.problem_id, rate) for v, rate in drawn], step)
            if step == resume_after:
                saved = json.loads(json.dumps(reader.state_dict()))
                reader = make(kind, window=50)
                reader.load_state_dict(saved)
        return said, reader.state_dict()

    whole = story(None)
    assert whole[0][-1] is not None
    for step in (1, 6, 11):
        assert story(step) == whole  # bit for bit


def test_only_what_was_read_and_judged_is_learned():
    reader = make("words")
    reader.read(ProblemView("a", (1, 2)), 1)
    reader.read(ProblemView("b", (1, 3)), 1)
    reader.observe([GroupOutcome("a", 0, 0), GroupOutcome("b", 1, 2), GroupOutcome("c", 1, 2)], 1)
    assert reader.metrics() == {"reader/groups": 1.0}
    reader.observe([GroupOutcome("a", 1, 2)], 2)  # read in a step that is over
    assert reader.metrics() == {"reader/groups": 1.0}


def test_old_groups_leave_the_window():
    reader = make("words", window=3, min_groups=2)
    for number in range(5):
        reader.read(ProblemView(str(number), (1, number)), number)
        reader.observe([GroupOutcome(str(number), number, 8)], number)
    assert [row["right"] for row in map(_named, reader.state_dict()["groups"])] == [2, 3, 4]


def _named(row):
    return dict(zip(("ids", "counts", "right", "judged"), row, strict=True))


def test_views_that_lack_what_is_read_are_refused():
    with pytest.raises(ValueError, match="needs the tokens of the prompt of 'a'"):
        make("words").read(ProblemView("a"), 1)
    probe = make("probe", min_groups=2)
    with pytest.raises(ValueError, match="needs hidden states of 'a', and has none"):
        probe.read(ProblemView("a"), 1)
    with pytest.raises(ValueError, match=r"finite and of shape \(D,\), got shape \(2, 2\)"):
        probe.read(ProblemView("a", (), np.zeros((2, 2), np.float32)), 1)
    probe.read(ProblemView("a", (), np.zeros(3, np.float32)), 1)
    probe.observe([GroupOutcome("a", 1, 2)], 1)
    with pytest.raises(ValueError, match="have 4 features, those before had 3"):
        probe.read(ProblemView("b", (), np.zeros(4, np.float32)), 2)


@pytest.mark.parametrize("kind", ["words", "probe"])
def test_a_state_that_is_damaged_is_refused(kind):
    world, reader = World(5, kind == "probe"), make(kind)
    train(reader, world, 1)
    state = reader.state_dict()
    for damage in (
        {"groups": [["?", 1, 2]]},
        {"groups": [[*state["groups"][0][:-2], 9, 8]]},
        {"state_of": "ledger"},
        {"version": 7},
    ):
        with pytest.raises(ValueError, match=r"damaged|not the state of"):
            make(kind).load_state_dict({**state, **damage})


@pytest.mark.parametrize("depths", [(), (0.0,), (0.5, 0.5), (1.5,)])
def test_depths_that_no_model_has_are_refused(depths):
    with pytest.raises(ValueError, match=r"different shares of the model's layers in \(0, 1\]"):
        ProbeReaderSettings(depths=depths)


def test_what_a_reader_has_to_be_shown_is_told():
    kinds = {
        "predictions": [SampledReaderSettings(), DistributionReaderSettings()],
        "prompt": [WordsReaderSettings()],
        "hidden": [ProbeReaderSettings()],
        "nothing": [HistoryReaderSettings()],
    }
    for needs, chosen in kinds.items():
        for settings in chosen:
            assert find_reader_needs(settings) == needs
            assert (build_reader(settings) is None) == (needs == "predictions")
