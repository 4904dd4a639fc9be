import asyncio
from dataclasses import dataclass

import pytest
from masa_control import (
    REWARD_COMPONENTS,
    Ledger,
    MetaSignal,
    Planner,
    PredictiveGate,
    load_signals,
    run_episode,
    step_metrics,
)
from masa_control.episode.signals import SignalOutcome, read_signals, score_signals
from masa_rewards import Rollout, RolloutGroup
from pydantic import ValidationError

from tests.masa_control.fakes import (
    PROBLEM,
    ScriptedEngine,
    ScriptedVerifier,
    change_settings,
    make_completion,
    make_settings,
)


@dataclass(frozen=True)
class IsInteger:
    """Whether the answer is an integer."""

    key: str = "Is_Integer"
    asked: str = "true or false, whether the answer is an integer"
    weight: float = 2.0

    def read(self, value):
        return value if isinstance(value, bool) else None

    def reward(self, prediction, group, answer):
        return float(prediction == answer.lstrip("-").isdigit())


@dataclass(frozen=True)
class Greedy(IsInteger):
    key: str = "greedy"

    def reward(self, prediction, group, answer):
        return 1.5


SIGNAL = IsInteger()
GROUP = RolloutGroup(problem="p", rollouts=(Rollout(text="4", length=3, correct=True),))
SAYS = [
    '{"math_notion": ["x"], "pass_rate": 8, "solution_length": 3, "is-integer": true}',
    '{"math_notion": ["x"], "pass_rate": 8, "solution_length": 3, "is_integer": false}',
    '{"math_notion": ["x"], "pass_rate": 8, "solution_length": 3, "is_integer": "perhaps"}',
    '{"is_integer": true}',
    "Hm.",
]


def chosen(*signals, **more):
    return change_settings(make_settings(len(SAYS), 1), signals=signals, **more)


def play(answer="4", planner=None, said=SAYS, signals=(SIGNAL,), **more):
    engine = ScriptedEngine(
        meta=[make_completion(s) for s in said], solution=[make_completion(answer)]
    )
    return asyncio.run(
        run_episode(
            PROBLEM,
            engine=engine,
            verifier=ScriptedVerifier(),
            settings=chosen(*signals, **more),
            planner=planner,
        )
    )


def test_a_fourth_signal_is_asked_for():
    prompt = chosen(SIGNAL).meta_prompt.render("2 + 2?")
    assert '- "Is_Integer": true or false, whether the answer is an integer.' in prompt
    assert '"Is_Integer": ...' in prompt
    assert "Is_Integer" not in make_settings(1, 1).meta_prompt.render("2 + 2?")


def test_it_is_read_paid_and_weighed_in():
    # 1 of 1 right, 3 tokens; the notion "x" does not occur. Three rewards: 1 + 1 + 0 = 2.
    made = play()
    outcomes = [m.signals["Is_Integer"] for m in made.meta]
    assert outcomes == [
        SignalOutcome(True, 1.0),
        SignalOutcome(False, 0.0),
        SignalOutcome(None, 0.0),
        SignalOutcome(True, 1.0),
        SignalOutcome(None, 0.0),
    ]
    assert [m.total_reward for m in made.meta] == pytest.approx([4 / 5, 2 / 5, 2 / 5, 2 / 5, 0])
    # The paper's three are as they are without it.
    assert made.meta[0].reward.total == pytest.approx(2 / 3)


def test_without_signals_the_papers_mean_is_paid():
    made = play(signals=())
    assert [m.total_reward for m in made.meta] == [m.reward.total for m in made.meta]
    assert made.meta[0].signals == {}


def test_only_the_judgements_that_are_named_are_paid_and_all_are_measured():
    # 1 of 1 right, 3 tokens; of the first prediction length and difficulty are right, no notion is.
    alone = {name: play(signals=(), rewards=(name,)).meta[0] for name in REWARD_COMPONENTS}
    assert {name: made.total_reward for name, made in alone.items()} == {
        "length": 1,
        "difficulty": 1,
        "notion": 0,
    }
    assert all(made.reward.total == pytest.approx(2 / 3) for made in alone.values())
    assert play(signals=(), rewards=("notion", "length")).meta[0].total_reward == pytest.approx(
        1 / 2
    )
    # A signal of weight w beside one judgement: (1 + w * 1) / (1 + w); alone: what it earns.
    assert play(rewards=("notion",)).meta[0].total_reward == pytest.approx(2 / 3)
    assert play(rewards=()).meta[0].total_reward == pytest.approx(1)


@pytest.mark.parametrize("bad", [("length", "length"), ("hints",), ()])
def test_judgements_are_named_once_and_there_is_one(bad):
    with pytest.raises(ValidationError):
        chosen(rewards=bad)


def test_where_nothing_was_judged_it_is_read_and_not_paid():
    for made in (play("?"), play(planner=Planner(1, 0, PredictiveGate(min_readable=0.1)))):
        assert [m.signals["Is_Integer"].prediction for m in made.meta] == [
            True,
            False,
            None,
            True,
            None,
        ]
        assert {m.signals["Is_Integer"].reward for m in made.meta} == {None}
        assert {m.total_reward for m in made.meta} == {None}


def test_it_has_its_figures_and_its_count():
    made = play()
    metrics = step_metrics([made])
    assert metrics["meta/unreadable_Is_Integer"] == 2 / 5
    assert metrics["meta/reward_Is_Integer"] == 2 / 5
    assert metrics["meta/reward"] == pytest.approx((4 + 2 + 2 + 2) / 5 / 5)
    ledger = Ledger()
    ledger.observe(made)
    assert ledger.metrics()["ledger/unreadable_signal_Is_Integer"] == 2.0


def test_an_answer_with_the_signal_alone_is_an_object_of_ours():
    prompt = chosen(SIGNAL).meta_prompt
    assert dict(prompt.entries('So {"Is Integer": true}')) == {"is_integer": True}
    assert read_signals([SIGNAL], prompt.entries('So {"Is Integer": true}')) == {"Is_Integer": True}
    assert read_signals([SIGNAL], {}) == {"Is_Integer": None}
    assert read_signals([SIGNAL], {"is_integer": None}) == {"Is_Integer": None}


@pytest.mark.parametrize("key", ["pass_rate", "Solution_Length", "is_integer"])
def test_keys_must_differ(key):
    with pytest.raises(ValidationError, match="same key"):
        chosen(SIGNAL, IsInteger(key=key))


def test_a_reward_outside_0_to_1_is_refused_by_name():
    with pytest.raises(ValueError, match=r"signal 'greedy' pays 1.5 for True"):
        score_signals([Greedy()], {"greedy": True}, GROUP, "4")
    with pytest.raises(ValueError, match="'greedy'"):
        play(signals=(Greedy(),), said=['{"greedy": true}'] * 5)


def test_signals_are_loaded_by_name(tmp_path, monkeypatch):
    (tmp_path / "my_signals.py").write_text(
        "class Mine:\n"
        "    key, asked, weight = 'mine', 'true or false', 0.5\n"
        "    def read(self, value): return value\n"
        "    def reward(self, prediction, group, answer): return 1.0\n"
        "class Free(Mine):\n"
        "    weight = 0.0\n"
        "class Nothing:\n"
        "    key = 'nothing'\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    (mine,) = load_signals(["my_signals:Mine"])
    assert isinstance(mine, MetaSignal)
    assert (mine.key, mine.weight) == ("mine", 0.5)
    assert load_signals([]) == ()
    for name, says in {
        "my_signals": "named 'package.module:Class', got 'my_signals'",
        "my_signals:": "got 'my_signals:'",
        "not_there:Mine": "'not_there:Mine' cannot be loaded.*not_there",
        "my_signals:Theirs": "'my_signals:Theirs' cannot be loaded.*Theirs",
        "my_signals:Nothing": "'my_signals:Nothing' is no signal",
        "my_signals:Free": "weight of the signal 'my_signals:Free' must be > 0, got 0.0",
    }.items():
        with pytest.raises(ValueError, match=says):
            load_signals([name])
