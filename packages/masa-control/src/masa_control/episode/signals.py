"""Other meta-signals: a fourth prediction, a user's own, added by one class.

The paper names three things a policy can foresee of its own work, and other ones as what is left
open. A signal brings all that a prediction is: a key in the object that is asked for, how it is
asked for, how its value is read, what it is worth, and its weight beside the three.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from typing import Any, Literal, NamedTuple, Protocol, runtime_checkable

from masa_rewards import MetaReward, RolloutGroup


@runtime_checkable
class MetaSignal(Protocol):
    """One more thing that a meta rollout predicts.

    Attributes:
        key: its key in the object, as "answer_is_integer".
        asked: what the prompt says of it, as "true or false, whether the answer is an integer".
        weight: its share of the reward, beside 1 for each of the three; > 0.
    """

    key: str
    asked: str
    weight: float

    def read(self, value: object) -> object | None:
        """Return the prediction that ``value`` states; None where it states none."""
        ...

    def reward(self, prediction: Any, group: RolloutGroup, answer: str) -> float:
        """Return what the prediction is worth, in [0, 1].

        Args:
            prediction: as ``read`` returned it; never None.
            group: the judged solutions of the problem, at least one.
            answer: the gold answer.
        """
        ...


class SignalOutcome(NamedTuple):
    """What became of one signal in one prediction.

    Attributes:
        prediction: as it was read; None where it was not stated, or not readably.
        reward: in [0, 1], 0 where there is no prediction; None where no solution was judged.
    """

    prediction: object | None
    reward: float | None


def read_signals(
    signals: Sequence[MetaSignal], entries: Mapping[str, object]
) -> dict[str, object | None]:
    """Return what an answer predicts of each signal, by key.

    Args:
        signals: the signals.
        entries: the answer's object, as of ``MetaPrompt.entries``.
    """
    found = {s.key: entries.get(s.key.casefold()) for s in signals}
    return {s.key: None if found[s.key] is None else s.read(found[s.key]) for s in signals}


def score_signals(
    signals: Sequence[MetaSignal],
    predictions: Mapping[str, object | None],
    group: RolloutGroup,
    answer: str,
) -> dict[str, SignalOutcome]:
    """Return what each signal of one prediction is worth; 0 where it states none.

    Raises:
        ValueError: a signal pays something outside [0, 1]; the message names it.
    """
    outcomes = {}
    for signal in signals:
        prediction = predictions[signal.key]
        reward = 0.0 if prediction is None else float(signal.reward(prediction, group, answer))
        if not 0 <= reward <= 1:
            raise ValueError(
                f"the signal {signal.key!r} pays {reward!r} for {prediction!r}: a reward must lie "
                "in [0, 1]"
            )
        outcomes[signal.key] = SignalOutcome(prediction, reward)
    return outcomes


RewardComponent = Literal["length", "difficulty", "notion"]
"""One of the paper's three rewards."""

REWARD_COMPONENTS: tuple[RewardComponent, ...] = ("length", "difficulty", "notion")


def total_reward(
    reward: MetaReward,
    outcomes: Mapping[str, SignalOutcome],
    signals: Sequence[MetaSignal],
    components: Sequence[RewardComponent] = REWARD_COMPONENTS,
) -> float:
    """Return what a prediction earns: the weighted mean of rewards and signals.

    (Σ component + Σ weight * signal) / (number of components + Σ weight); with all three components
    and no signals the paper's mean.

    Args:
        reward: the three.
        outcomes: of the signals, by key.
        signals: with their weights.
        components: which of the three count; at least one of them or a signal.
    """
    if not signals and tuple(components) == REWARD_COMPONENTS:
        return reward.total
    earned = [s.weight * (outcomes[s.key].reward or 0.0) for s in signals]
    earned += [getattr(reward, name) for name in components]
    return math.fsum(earned) / (len(components) + math.fsum(s.weight for s in signals))


def load_signals(names: Iterable[str]) -> tuple[MetaSignal, ...]:
    """Return the signals that ``"package.module:Class"`` names, one instance each.

    Raises:
        ValueError: there is no such module or class, or it is no signal; says what is missing.
    """
    return tuple(_load_signal(name) for name in names)


def _load_signal(name: str) -> MetaSignal:
    module, colon, attribute = name.partition(":")
    if not (module and colon and attribute):
        raise ValueError(f"a signal is named 'package.module:Class', got {name!r}")
    try:
        made = getattr(import_module(module), attribute)()
    except (ImportError, AttributeError) as error:
        raise ValueError(
            f"the signal {name!r} cannot be loaded: {error}; its module must be installed, or lie "
            "in a folder of PYTHONPATH"
        ) from error
    if not isinstance(made, MetaSignal):
        raise ValueError(f"{name!r} is no signal: it needs key, asked, weight, read and reward")
    if not 0 < made.weight < math.inf:
        raise ValueError(f"the weight of the signal {name!r} must be > 0, got {made.weight!r}")
    return made
