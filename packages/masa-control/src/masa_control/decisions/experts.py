"""Expert trajectories: the best self-assessments, their numbers put right, to be cloned (DAgger).

Paper, first version: the best meta rollouts, with their numbers replaced by the true ones, are
behaviour-cloned beside the RL objective.
"""

from __future__ import annotations

import random
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from masa_rewards import MetaPrompt

from masa_control.episode.types import Episode, MetaRollout
from masa_control.state import entries, number, restored, saved, whole

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
        weight: how many problems like it it stands for: 1/ε after an audit of the gate.
        step: when it was made; its numbers are of the policy of that step.
    """

    problem_id: str
    prompt_ids: tuple[int, ...]
    text: str
    numbers: tuple[tuple[int, int], ...]
    unknown: tuple[tuple[int, int], ...]
    reward: float
    weight: float
    step: int


@dataclass(frozen=True, slots=True)
class ExpertSettings:
    """What is kept, and for how long.

    Attributes:
        threshold: only rollouts that earned at least this, in [0, 1]. Where nobody solves a problem
            neither length nor notions can be earned: 0.2 (the authors' code) takes those alone that
            say 0 already, and a policy that never does is never shown one.
        capacity: experts kept, >= 1; the oldest go first.
        max_age: steps after which one is dropped, >= 1: the policy is another by then.
    """

    threshold: float = 0.0
    capacity: int = 1024
    max_age: int = 20

    def __post_init__(self) -> None:
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold must lie in [0, 1], got {self.threshold!r}")
        if self.capacity < 1 or self.max_age < 1:
            raise ValueError(
                f"capacity and max_age must be >= 1, got {self.capacity!r}, {self.max_age!r}"
            )


def expert_of(
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
    pass_rate = _known_pass_rate(episode, prompt.scale)
    rewarded = [m for m in episode.meta if m.paid is not None]
    if not rewarded:
        return "unrewarded"
    if pass_rate is None:
        return "unknown_pass_rate"
    readable = [m for m in rewarded if not m.prediction.missing and not m.completion.truncated]
    if not readable:
        return "unreadable"
    best = max(readable, key=_paid)
    if _paid(best) < threshold:
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
        reward=_paid(best),
        weight=episode.weight,
        step=step,
    )


def _paid(rollout: MetaRollout) -> float:
    return rollout.paid if rollout.paid is not None else -1.0


def _known_pass_rate(episode: Episode, scale: int) -> float | None:
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
            made = expert_of(episode, prompt, threshold=self.settings.threshold, step=step)
            if isinstance(made, Expert):
                self._experts.pop(made.problem_id, None)  # to the end: insertion order is age
                self._experts[made.problem_id] = made
                self._counts["taken"] += 1
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
        return {"experts/kept": float(len(self)), **counts}

    def state_dict(self) -> dict[str, Any]:
        """Return all that is needed to go on."""
        experts = [asdict(expert) for expert in self._experts.values()]
        return saved("expert buffer", 1, experts=experts, counts=dict(self._counts))

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from ``state``.

        Raises:
            ValueError: it is not the state of an expert buffer.
        """
        experts, counts = restored("expert buffer", 1, state, "experts", "counts")
        made = [_expert(saved_row) for saved_row in experts]
        fresh = {name: whole(f"the count {name!r} of experts", n) for name, n in counts.items()}
        self._experts = {expert.problem_id: expert for expert in made}
        self._counts = Counter(fresh)


def _expert(saved_row: object) -> Expert:
    names = [field.name for field in fields(Expert)]
    row = dict(zip(names, entries("an expert in the state", saved_row, *names), strict=True))
    if not isinstance(row["problem_id"], str) or not isinstance(row["text"], str):
        raise ValueError(f"an expert has a problem and a text, got {saved_row!r}")
    return Expert(
        problem_id=row["problem_id"],
        prompt_ids=tuple(whole("a token of an expert's prompt", i) for i in row["prompt_ids"]),
        text=row["text"],
        numbers=_spans(row["numbers"], row["text"]),
        unknown=_spans(row["unknown"], row["text"]),
        reward=number("the reward of an expert", row["reward"], 0, 1),
        weight=number("the weight of an expert", row["weight"], 1),
        step=whole("the step of an expert", row["step"]),
    )


def _spans(pairs: Any, text: str) -> tuple[tuple[int, int], ...]:
    spans = tuple((whole("a place", begin), whole("a place", end)) for begin, end in pairs)
    for begin, end in spans:
        if not begin <= end <= len(text):
            raise ValueError(f"no place of a text of {len(text)} characters: {(begin, end)!r}")
    return spans
