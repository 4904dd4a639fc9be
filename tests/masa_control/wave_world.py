"""Problems whose every rollout is settled beforehand, so that what was not made is known too."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from masa_control import Belief, Completion, Episode, Planner, Problem, run_episode

from tests.masa_control.fakes import ScriptedVerifier, make_completion, make_settings

G = 8


class SettledGroup(NamedTuple):
    """A problem and all rollouts that it could have.

    Attributes:
        name: of the problem.
        outcomes: right or wrong, of each of the G.
        tokens: their lengths.
        belief: what a reader says of it.
    """

    name: str
    outcomes: tuple[bool, ...]
    tokens: tuple[int, ...]
    belief: Belief

    @property
    def agrees(self) -> bool:
        return len(set(self.outcomes)) == 1


def settle_groups(seed: object, number: int) -> list[SettledGroup]:
    """Problems from hopeless to trivial; wrong solutions are long, beliefs near the truth."""
    draw = Random(f"world/{seed}")
    groups = []
    for position in range(number):
        rate = draw.choice((0.0, 0.01, 0.05, 0.1, 0.2, 0.5, 0.8, 0.95, 1.0))
        outcomes = tuple(draw.random() < rate for _ in range(G))
        tokens = tuple(draw.randrange(3, 9) if o else draw.randrange(9, 30) for o in outcomes)
        mean = min(1.0, max(0.0, rate + draw.choice((-0.05, 0.0, 0.0, 0.08))))
        belief = Belief(mean, min(0.004, mean * (1 - mean)), "words", 50)
        groups.append(SettledGroup(f"{seed}/{position}", outcomes, tokens, belief))
    return groups


@dataclass
class SettledEngine:
    """Hands out the rollouts of one problem in their order, however many at a time."""

    group: SettledGroup
    given: int = 0

    def encode(self, prompt: str) -> list[int]:
        return [1, 2, 3]

    async def generate(
        self, token_ids: Sequence[int], *, max_tokens: int, n: int, kind: str
    ) -> list[Completion]:
        taken = slice(self.given, self.given + n)
        self.given += n
        assert self.given <= G, f"{self.given} rollouts of a problem that has {G}"
        pairs = zip(self.group.outcomes[taken], self.group.tokens[taken], strict=True)
        return [make_completion("4" if right else "5", tokens) for right, tokens in pairs]


def play_groups(groups: Sequence[SettledGroup], planner: Planner | None) -> list[Episode]:
    """Play them side by side; a planner reads what is believed of each."""

    async def play_all() -> list[Episode]:
        playing = [
            run_episode(
                Problem(id=group.name, text="2 + 2?", answer="4"),
                engine=SettledEngine(group),
                verifier=ScriptedVerifier(),
                settings=make_settings(0, G),
                planner=planner,
                belief=group.belief,
            )
            for group in groups
        ]
        return list(await asyncio.gather(*playing))

    return asyncio.run(play_all())
