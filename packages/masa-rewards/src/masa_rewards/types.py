"""The vocabulary: rollouts and groups, predictions and their rewards."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationInfo,
    field_validator,
)

from masa_rewards._plain_numbers import to_python
from masa_rewards._text import Text
from masa_rewards.missing import COMPONENTS, Component, Missing, Reason

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

# Numbers of numpy and torch are taken as Python's.
_Plain = BeforeValidator(to_python)
UnitFloat = Annotated[float, Field(ge=0.0, le=1.0, strict=True, allow_inf_nan=False), _Plain]
Count = Annotated[int, Field(ge=0, strict=True), _Plain]


def _to_plain_dict(missing: Missing) -> dict[str, str]:
    # `dict` itself has no signature, which pydantic 2.7 asks for.
    return dict(missing.items())


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Rollout(_Frozen):
    """One solution rollout that was verified.

    A rollout whose verification failed (timeout, error) is neither correct nor incorrect, so it is
    no `Rollout`: leave it out of the group, and count it.

    Attributes:
        text: What the policy wrote. Notions are looked for in it.
        length: Its length in tokens, >= 0.
        correct: Whether its answer is right.
    """

    text: Text
    length: Count
    correct: Annotated[bool, Field(strict=True), _Plain]


class RolloutGroup(_Frozen):
    """The G verified solution rollouts of one problem.

    An empty group (a prompt that was skipped, or of which no rollout could be verified) can be
    built, but has no pass rate and rewards no prediction: functions that need one raise ValueError.

    Examples:
        >>> right = Rollout(text="4", length=100, correct=True)
        >>> wrong = Rollout(text="5", length=300, correct=False)
        >>> group = RolloutGroup(problem="2 + 2?", rollouts=(right, wrong, wrong, wrong))
        >>> group.pass_rate, group.correct_lengths
        (0.25, (100,))

    Attributes:
        problem: The problem statement, without the words of any prompt around it.
        rollouts: The G rollouts, in any order.
    """

    problem: Text
    rollouts: tuple[Rollout, ...]

    @property
    def pass_rate(self) -> float:
        """Share of correct rollouts, p in [0, 1].

        Raises:
            ValueError: If the group is empty. No pass rate is invented for it.
        """
        self.require_rollouts()
        return sum(rollout.correct for rollout in self.rollouts) / len(self.rollouts)

    @property
    def correct_lengths(self) -> tuple[int, ...]:
        """Lengths of the correct rollouts in tokens; empty when none is correct."""
        return tuple(rollout.length for rollout in self.rollouts if rollout.correct)

    def require_rollouts(self) -> None:
        """Refuse an empty group.

        Raises:
            ValueError: If the group is empty.
        """
        if not self.rollouts:
            raise ValueError(
                f"the group of problem {self.problem[:80]!r} has no rollouts, so there is nothing "
                "to judge a prediction by; leave skipped and unverified prompts out"
            )


class MetaPrediction(_Frozen):
    """What one meta rollout predicts of the solution rollouts. None = unreadable.

    Every component that is None is in `missing` with its reason; no other component is.

    Examples:
        >>> prediction = MetaPrediction(pass_rate=0.5, notions=("prime  number", " "))
        >>> prediction.notions, prediction.length, prediction.missing["length"]
        (('prime number',), None, 'not_given')

    Attributes:
        pass_rate: Predicted share of correct rollouts in [0, 1].
        length: Predicted length of a correct rollout in tokens, >= 0.
        notions: Predicted mathematical notions, words or phrases. White space is collapsed,
            control characters and blank entries are dropped.
        missing: Why each unreadable component is None. "not_given" where no reason was given.
    """

    pass_rate: UnitFloat | None = None
    length: Count | None = None
    notions: tuple[Text, ...] | None = None
    missing: Annotated[
        Mapping[Component, Reason],
        AfterValidator(Missing),
        PlainSerializer(_to_plain_dict, return_type=dict[str, str]),
    ] = Field(default_factory=Missing, validate_default=True)

    @field_validator("notions")
    @classmethod
    def _clean(cls, notions: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if notions is None:
            return None
        cleaned = (" ".join(_CONTROL.sub(" ", notion).split()) for notion in notions)
        return tuple(notion for notion in cleaned if notion)

    @field_validator("missing")
    @classmethod
    def _account(cls, missing: Missing, info: ValidationInfo) -> Missing:
        predicted = {name for name in COMPONENTS if info.data.get(name) is not None}
        if contradicted := sorted(predicted & missing.keys()):
            raise ValueError(f"{contradicted!r} have a value and a reason to be missing: drop one")
        absent = [name for name in COMPONENTS if name not in predicted]
        return Missing({name: missing.get(name, "not_given") for name in absent})


class MetaReward(_Frozen):
    """The rewards of one meta prediction, each in [0, 1].

    Attributes:
        length: 1 when the predicted length lies within those of the correct rollouts.
        difficulty: 1 when the predicted pass rate is exact, falling exponentially from there.
        notion: Share of the predicted notions that go with correct rollouts.
        total: The mean of the three: the reward of the rollout.
    """

    length: UnitFloat
    difficulty: UnitFloat
    notion: UnitFloat
    total: UnitFloat
