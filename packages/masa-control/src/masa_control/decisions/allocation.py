"""Allocation: how many rollouts a problem gets, decided while they come in."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Tag, field_validator

from masa_control.episode.belief import Belief
from masa_control.episode.waves import WavePlan
from masa_control.settings import Settings, discriminate_by_rule


class AllocationOff(Settings):
    """All rollouts of a problem at once."""

    rule: Literal["off"] = "off"
    """off (the paper): every problem that is rolled out gets solution.rollouts at once."""


class WaveSettings(Settings):
    """Rollouts in waves: a group goes on while its next outcome is uncertain enough."""

    rule: Literal["waves"] = "waves"
    """waves: a group grows wave by wave up to solution.rollouts, and stops where its outcomes and
    the reader's belief leave little variance to expect. Without a belief it is made whole."""
    waves: tuple[int, ...] = (2, 2, 4)
    """Rollouts of the first waves; the last one is repeated until the group is whole."""
    worth: float = Field(default=0.1, ge=0, le=0.25)
    """Expected variance of the next outcome, E[p (1 - p)], below which a group stops; 0: never."""
    prior: float = Field(default=0.3, gt=0)
    """Right and wrong outcomes, each, that are added to the belief: Beta(prior + strength p, prior
    + strength (1 - p))."""
    strength: float | None = Field(default=6.0, ge=0)
    """Outcomes that the belief p is worth; unset: as many as the reader says it is sure by, 64 at
    most."""
    per_token: bool = False
    """Hold variance against the length of the problem's solutions, beside the usual one: long ones
    stop sooner."""
    audit: float = Field(default=0.05, ge=0, le=1)
    """Fraction of the groups that would be stopped which is made whole anyway, drawn at random, to
    estimate what stopping loses and saves; in [0, 1]."""

    @field_validator("waves")
    @classmethod
    def _can_be_made(cls, waves: tuple[int, ...]) -> tuple[int, ...]:
        if not waves or min(waves) < 1 or waves[0] < 2:
            raise ValueError(
                f"waves are numbers of rollouts >= 1, the first at least 2 since advantages are "
                f"taken within a group, got {waves!r}"
            )
        return waves


AllocationSettings = Annotated[
    Annotated[AllocationOff, Tag("off")] | Annotated[WaveSettings, Tag("waves")],
    discriminate_by_rule("off"),
]

_STRONGEST = 64.0
"""Outcomes that a belief is worth at most: a reader that is sure of what it misjudges would never
be told otherwise by a group."""


def plan_waves(
    settings: WaveSettings, belief: Belief, *, audited: bool, usual_tokens: float | None
) -> WavePlan:
    """Return how the group of a problem grows.

        Beta(c + s p, c + s (1 - p))

    Args:
        settings: c and s, waves, when it stops.
        belief: p, and s where the settings leave it to the reader.
        audited: it is made whole whatever the rule says.
        usual_tokens: mean length of the run's solutions; None: not known, or not to be counted.
    """
    strength = settings.strength
    if strength is None:
        strength = min(belief.strength, _STRONGEST)
    return WavePlan(
        sizes=settings.waves,
        right=settings.prior + strength * belief.mean,
        wrong=settings.prior + strength * (1 - belief.mean),
        worth=settings.worth,
        audited=audited,
        audit=settings.audit,
        usual_tokens=usual_tokens if settings.per_token else None,
    )
