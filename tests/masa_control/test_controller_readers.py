"""Runs in which a reader decides: it learns, saves, and goes on exactly from a saved state."""

import asyncio
import json
import math
from random import Random

import numpy as np
import pytest
from masa_control import (
    AlignedStart,
    AuditedGateSettings,
    Belief,
    ChoiceSettings,
    Completion,
    Controller,
    ControlSettings,
    CutoffOff,
    DistributionReaderSettings,
    ExpertSettings,
    FixedStart,
    GateOff,
    HistoryReaderSettings,
    Ledger,
    ProbeReaderSettings,
    Problem,
    ProblemView,
    ThresholdGateSettings,
    WaveSettings,
    WordsReaderSettings,
    run_episode,
    step_metrics,
)
from masa_rewards import MetaPrompt

from tests.masa_control.factories import PROMPT
from tests.masa_control.fakes import ScriptedVerifier, make_completion, make_settings

G, PROBLEMS, POOL, WORDS = 8, 12, 60, 12
NO_PREDICTIONS = {"cutoff": CutoffOff(), "experts": ExpertSettings(batch=0)}
RULES = {
    "words": ControlSettings(
        reader=WordsReaderSettings(min_groups=24, window=120),
        gate=ThresholdGateSettings(low=0.06, audit=0.1),
        allocation=WaveSettings(audit=0.1, per_token=True),
        schedule=FixedStart(start=0),
        **NO_PREDICTIONS,
    ),
    "probe": ControlSettings(
        reader=ProbeReaderSettings(min_groups=24, window=120),
        gate=AuditedGateSettings(precision=0.7, caution=0.5, audit=0.2),
        allocation=WaveSettings(strength=None, audit=0.1),
        schedule=AlignedStart(start=8, precision=0.3, recall=0.05, steps=2),
        **NO_PREDICTIONS,
    ),
    "history": ControlSettings(
        reader=HistoryReaderSettings(),
        gate=ChoiceSettings(draw=2.0, min_remembered=20),
        schedule=FixedStart(start=2),
        **NO_PREDICTIONS,
    ),
    "words, chosen, in waves": ControlSettings(
        reader=WordsReaderSettings(min_groups=24),
        gate=ChoiceSettings(draw=2.0, min_remembered=20),
        allocation=WaveSettings(audit=0.2),
        schedule=FixedStart(start=0),
        **NO_PREDICTIONS,
    ),
}


def words(number):
    return [Random(f"words/{number}").randrange(WORDS) for _ in range(3)]


def truth(number):
    ease = [Random(f"ease/{word}").gauss(-0.4, 2.0) for word in words(number)]
    return 1 / (1 + math.exp(-sum(ease)))


class Policy:
    """Solves a problem as often as its words say; one for each problem and step."""

    def __init__(self, step, number):
        self._draw = Random(f"{step}/{number}")
        self._rate = truth(number)

    def encode(self, prompt):
        return [1, 2]

    async def generate(self, token_ids, *, max_tokens, n, kind):
        made = []
        for _ in range(n):
            right = self._draw.random() < self._rate
            made.append(make_completion("4" if right else "5", 4 if right else 12))
        return made


def view(number):
    hidden = None
    counts = np.bincount(words(number), minlength=WORDS)
    hidden = np.concatenate([counts, counts**2]).astype(np.float32)
    return ProblemView(str(number), (90, *words(number), 91), hidden)


def play(rule, steps=14, resume_at=None):
    """Play a run; returns what every step was, and what is left at its end."""
    settings = RULES[rule]
    controller, ledger, rows = Controller(settings, PROMPT, seed=2), Ledger(), []
    for step in range(1, steps + 1):
        if step == resume_at:
            saved = json.loads(json.dumps([controller.state_dict(), ledger.state_dict()]))
            controller, ledger = Controller(settings, PROMPT, seed=2), Ledger()
            controller.load_state_dict(saved[0])
            ledger.load_state_dict(saved[1])
        numbers = Random(f"order/{step}").sample(range(POOL), PROBLEMS)
        beliefs = [controller.read(view(number), step) for number in numbers]
        planner = controller.planner(step)
        episodes = asyncio.run(play_step(step, numbers, beliefs, planner))
        for episode in episodes:
            ledger.observe(episode)
        controller.observe(episodes, step)
        rows.append([step_metrics(episodes), controller.metrics(), [e.belief for e in episodes]])
    return rows, controller.state_dict(), ledger.state_dict(), ledger.metrics()


async def play_step(step, numbers, beliefs, planner):
    playing = [
        run_episode(
            Problem(id=str(number), text="2 + 2?", answer="4"),
            engine=Policy(step, number),
            verifier=ScriptedVerifier(),
            settings=make_settings(0, G),
            planner=planner,
            belief=belief,
        )
        for number, belief in zip(numbers, beliefs, strict=True)
    ]
    return list(await asyncio.gather(*playing))


@pytest.mark.parametrize("rule", RULES)
def test_a_run_goes_on_exactly_from_a_saved_state(rule):
    whole = play(rule)
    for step in (2, 5, 11):
        assert play(rule, resume_at=step) == whole


@pytest.mark.parametrize("rule", RULES)
def test_what_decides_saves_tokens_and_is_counted(rule):
    rows, _, _, totals = play(rule, steps=20)
    assert totals["ledger/problems"] == 20 * PROBLEMS
    assert totals["ledger/meta_rollouts"] == 0
    assert totals["ledger/solution_rollouts"] < 0.85 * G * 20 * PROBLEMS
    known = [beliefs for _, _, beliefs in rows if any(beliefs)]
    assert known
    if rule != "history":
        assert rows[0][2] == [None] * PROBLEMS  # nothing is known yet
        read = [row[0]["reader/correlation"] for row in rows[10:] if "reader/correlation" in row[0]]
        assert sum(read) / len(read) > 0.6
    if RULES[rule].allocation.rule == "waves":
        assert totals["ledger/groups_stopped"] > 0
        assert totals["ledger/wave_audits"] > 0
        assert totals["ledger/waves_tokens_saved"] > 0
        assert rows[-1][0]["waves/rollouts"] < G
    if isinstance(RULES[rule].gate, ChoiceSettings):
        assert totals["ledger/skipped_not_chosen"] > 0
        assert 0 < rows[-1][0]["gate/keep"] < 1


def test_a_run_that_reads_nothing_has_the_state_it_always_had():
    controller = Controller(ControlSettings(), PROMPT)
    assert sorted(controller.state_dict()["parts"]) == ["experts", "schedule"]
    assert controller.read(ProblemView("a"), 1) is None
    assert controller.reader_needs == "predictions"


def test_the_reader_cannot_change_within_a_run():
    state = Controller(RULES["words"], PROMPT).state_dict()
    with pytest.raises(ValueError, match="the rules of reader, gate"):
        Controller(RULES["history"], PROMPT).load_state_dict(state)


# -- the distribution of a prediction --------------------------------------------------------------

SAID = '{"math_notion": [], "pass_rate": 4, "solution_length": 44}'


def predicted(**digits):
    place = SAID.index("4")
    offered = {digit[1:]: math.log(chance) for digit, chance in digits.items()}
    return Completion((1, 2), SAID, False, None, {place: offered})


class Predicting:
    """Says 4 of 8; what it nearly said decides."""

    def __init__(self, said):
        self._said = said

    def encode(self, prompt):
        return [1]

    async def generate(self, token_ids, *, max_tokens, n, kind):
        return [self._said] * n if kind == "meta" else [make_completion("5")] * n


@pytest.mark.parametrize(
    ("digits", "skipped", "mean"),
    [({"_0": 0.9, "_1": 0.1}, "unsolvable", 0.0125), ({"_4": 0.9, "_0": 0.1}, None, 0.45)],
)
def test_the_digits_that_were_nearly_said_decide(digits, skipped, mean):
    settings = ControlSettings(
        reader=DistributionReaderSettings(),
        gate=ThresholdGateSettings(audit=0.0),
        schedule=FixedStart(start=0),
    )
    controller = Controller(settings, MetaPrompt(min_length=1, max_length=100))
    playing = run_episode(
        Problem(id="7", text="2 + 2?", answer="4"),
        engine=Predicting(predicted(**digits)),
        verifier=ScriptedVerifier(),
        settings=make_settings(1, 2),
        planner=controller.planner(1),
    )
    episode = asyncio.run(playing)
    assert episode.skipped == skipped
    assert episode.belief.mean == pytest.approx(mean)
    assert episode.belief.source == "distribution"


def test_before_they_decide_distributions_are_watched_all_the_same():
    settings = ControlSettings(
        reader=DistributionReaderSettings(),
        gate=ThresholdGateSettings(),
        schedule=AlignedStart(start=9, precision=0.5, recall=0.5, steps=1),
    )
    controller = Controller(settings, MetaPrompt(min_length=1, max_length=100))
    playing = run_episode(
        Problem(id="7", text="2 + 2?", answer="4"),
        engine=Predicting(predicted(_0=1.0)),
        verifier=ScriptedVerifier(),
        settings=make_settings(1, 2),
    )
    controller.observe([asyncio.run(playing)] * 40, 1)
    assert controller.decides(2)


def test_a_scale_of_several_digits_is_refused_at_once():
    settings = ControlSettings(reader=DistributionReaderSettings())
    with pytest.raises(ValueError, match="meta.prompt.scale = 100 has numbers of several"):
        Controller(settings, MetaPrompt(scale=100))


def test_sampled_predictions_may_be_a_prior_of_waves():
    settings = ControlSettings(
        gate=GateOff(), allocation=WaveSettings(audit=0.0), schedule=FixedStart(start=0)
    )
    controller = Controller(settings, PROMPT)
    prediction = PROMPT.parse(SAID.replace("4,", "0,"))
    plan = controller.planner(1).plan("7", [prediction] * 4, 100)
    assert (plan.waves.right, plan.waves.wrong) == pytest.approx((0.3, 6.3))
    assert plan.belief is None  # the predictions are in the episode
    unread = PROMPT.parse("Hm.")
    assert controller.planner(1).plan("7", [unread, unread, prediction], 100).waves is None


def test_a_planner_without_predictions_needs_a_reader():
    for belief, planner in ((Belief(0.5, 0.0, "words"), RULES["words"]), (None, ControlSettings())):
        controller = Controller(
            planner.model_copy(update={"schedule": FixedStart(start=0)}), PROMPT
        )
        playing = run_episode(
            Problem(id="7", text="2 + 2?", answer="4"),
            engine=Policy(1, 1),
            verifier=ScriptedVerifier(),
            settings=make_settings(0, G),
            planner=controller.planner(1),
            belief=belief,
        )
        if belief is None:
            with pytest.raises(ValueError, match=r"meta\.rollouts is 0"):
                asyncio.run(playing)
        else:
            assert len(asyncio.run(playing).solutions) > 0
