"""Expert trajectories: the best self-assessments, their numbers put right, to be cloned (DAgger).

Paper, first version: the best meta rollouts, with their numbers replaced by the true ones, are
behaviour-cloned beside the RL objective.
"""

from __future__ import annotations

import random
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from masa_rewards import MetaPrompt
from pydantic import Field

from masa_control.episode.types import Episode, MetaRollout
from masa_control.settings import Settings
from masa_control.state import Count, SavedState, Share, Weight

Span = tuple[Count, Count]
"""From where to where something stands in a text, in characters."""

_RENAMED = {"taken": "accepted"}

Refusal = Literal["unrewarded", "unreadable", "below_threshold", "unknown_pass_rate"]


@dataclass(frozen=True, slots=True)
class Expert:
    """A meta rollout with true numbers in its own text.

    Attributes:
        problem_id: of which problem.
        prompt_ids: tokens of the meta prompt.
        text: the response, numbers replaced.
        numbers: from where to where in it the true numbers stand, in characters.
        unknown: from where to where a number stands that nobody knows (the length, where no
            solution was correct): it is not cloned.
        reward: what the rollout earned before.
        weight: how many problems like it it stands for: 1/ε after an audit of the gate, or of
            waves.
        step: when it was made; its numbers are of the policy of that step.
    """

    problem_id: str
    prompt_ids: tuple[Count, ...]
    text: str
    numbers: tuple[Span, ...]
    unknown: tuple[Span, ...]
    reward: Share
    weight: Weight
    step: Count

    def __post_init__(self) -> None:
        for begin, end in (*self.numbers, *self.unknown):
            if not begin <= end <= len(self.text):
                raise ValueError(
                    f"no place of a text of {len(self.text)} characters: {(begin, end)!r}"
                )


class ExpertSettings(Settings):
    """Cloning of the best predictions, with true numbers in them (DAgger)."""

    batch: int = Field(default=32, ge=0)
    """Experts cloned a step; 0: none."""
    weight: float = Field(default=0.1, ge=0)
    """Weight of the cloning loss (the policy loss has weight 1)."""
    number_weight: float = Field(default=8.0, gt=0)
    """Weight of a token of a true number within the cloning loss (other tokens have weight 1)."""
    passes: int = Field(default=2, ge=0)
    """Additional optimiser steps a step, on experts alone, until predictions decide; 0: none. They
    sample no token, and predictions become accurate sooner."""
    threshold: float = Field(default=0.0, ge=0, le=1)
    """Smallest reward of a prediction that becomes an expert, in [0, 1]. Where no solution is
    correct at most a third can be had: 0.2 (the authors' code) then keeps only predictions that say
    0 already."""
    capacity: int = Field(default=1024, ge=1)
    """Experts kept, one a problem; the oldest are dropped first."""
    max_age: int = Field(default=20, ge=1)
    """Steps after which an expert is dropped: the policy is another by then."""


class _State(SavedState):
    state_of = "expert buffer"

    experts: list[Expert]
    counts: dict[str, Count]


def make_expert(
    episode: Episode, prompt: MetaPrompt, *, threshold: float, step: int
) -> Expert | Refusal:
    """Make an expert of the best meta rollout of an episode.

    The best is the one that earned most, of those whose three components can be read and that
    ended by themselves; the first of equals. Its pass rate becomes the true one, its length the
    middle one of the correct solutions.

    Args:
        episode: with its rewards.
        prompt: the contract that the text is read by.
        threshold: what it must have earned.
        step: when.

    Returns:
        The expert, or why there is none.
    """
    pass_rate = _find_known_pass_rate(episode, prompt.scale)
    rewarded = [m for m in episode.meta if m.total_reward is not None]
    if not rewarded:
        return "unrewarded"
    if pass_rate is None:
        return "unknown_pass_rate"
    readable = [m for m in rewarded if not m.prediction.missing and not m.completion.truncated]
    if not readable:
        return "unreadable"
    best = max(readable, key=_reward_or_lowest)
    if _reward_or_lowest(best) < threshold:
        return "below_threshold"
    lengths = episode.correct_lengths
    length = statistics.median_low(lengths) if lengths else best.prediction.length
    corrected = prompt.correct(best.completion.text, pass_rate=pass_rate, length=length)
    places = corrected.places
    return Expert(
        problem_id=episode.problem.id,
        prompt_ids=tuple(episode.meta_prompt_ids),
        text=corrected.text,
        numbers=(places["pass_rate"], *([places["length"]] if lengths else [])),
        unknown=() if lengths else (places["length"],),
        reward=_reward_or_lowest(best),
        weight=episode.weight * episode.wave_weight,
        step=step,
    )


def _reward_or_lowest(rollout: MetaRollout) -> float:
    return rollout.total_reward if rollout.total_reward is not None else -1.0


def _find_known_pass_rate(episode: Episode, scale: int) -> float | None:
    """The pass rate, where it is known to the step of the scale: cut rollouts may leave it open."""
    low, high = episode.pass_rate_range
    if low is None or high is None or round(low * scale) != round(high * scale):
        return None
    return (low + high) / 2


class ExpertBuffer:
    """Keeps experts, one a problem, and draws those to be cloned.

    Args:
        settings: what is kept.
    """

    def __init__(self, settings: ExpertSettings | None = None) -> None:
        self.settings = settings or ExpertSettings()
        self._experts: dict[str, Expert] = {}
        self._counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._experts)

    def observe(self, episodes: Sequence[Episode], prompt: MetaPrompt, step: int) -> None:
        """Take in the experts of a step; a problem's new one takes the place of its old one."""
        for episode in episodes:
            made = make_expert(episode, prompt, threshold=self.settings.threshold, step=step)
            if isinstance(made, Expert):
                self._experts.pop(made.problem_id, None)  # to the end: insertion order is age
                self._experts[made.problem_id] = made
                self._counts["accepted"] += 1
            else:
                self._counts[made] += 1
        oldest = step - self.settings.max_age
        kept = [e for e in self._experts.values() if e.step > oldest][-self.settings.capacity :]
        self._experts = {e.problem_id: e for e in kept}

    def draw(self, count: int, *, seed: int, step: int, number: int = 0) -> list[Expert]:
        """Draw experts without replacement, each as likely as its weight says.

        An audited problem stands for those that the gate skipped, so that what is cloned shows
        problems in the proportions in which they come.

        Args:
            count: how many, >= 0; fewer where fewer are kept.
            seed: of the run.
            step: the same seed and step draw the same experts from the same buffer.
            number: of the draw within the step, likewise.
        """
        rng = random.Random(f"experts {seed}/{step}" + (f"/{number}" if number else ""))
        # Efraimidis and Spirakis: the largest u ** (1 / weight).
        keyed = [(rng.random() ** (1 / e.weight), e.problem_id) for e in self._experts.values()]
        drawn = {name for _, name in sorted(keyed, reverse=True)[:count]}
        return [e for e in self._experts.values() if e.problem_id in drawn]

    def metrics(self) -> dict[str, float]:
        """Return the size of the buffer, and counts of what was taken and refused, by reason."""
        counts = {f"experts/{name}": float(n) for name, n in sorted(self._counts.items())}
        return {"experts/stored": float(len(self)), **counts}

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on."""
        return _State(experts=list(self._experts.values()), counts=dict(self._counts)).to_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``.

        Raises:
            ValueError: it is not the state of an expert buffer.
        """
        read = _State.from_dict(state)
        self._experts = {expert.problem_id: expert for expert in read.experts}
        # 0.1.0 counted "taken".
        self._counts = Counter({_RENAMED.get(name, name): n for name, n in read.counts.items()})
