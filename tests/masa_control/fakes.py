"""A scripted engine and verifier: what an episode needs, without a model."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from masa_control import Completion, EpisodeSettings, MetaSettings, Problem, SolutionSettings
from masa_rewards import Verdict
from masa_rewards.prompt.meta_prompt import MetaPromptForm

PROBLEM = Problem(id="7", text="What is 2 + 2?", answer="4")


def make_completion(text: str, tokens: int = 3, truncated: bool = False) -> Completion:
    return Completion(
        token_ids=tuple(range(tokens)),
        text=text,
        truncated=truncated,
        logprobs=tuple(-0.5 for _ in range(tokens)),
    )


def make_prediction_text(pass_rate: int, length: int, *notions: str) -> str:
    names = ", ".join(f'"{n}"' for n in notions)
    return (
        f'<meta></meta>{{"math_notion": [{names}], "pass_rate": {pass_rate}, '
        f'"solution_length": {length}}}'
    )


@dataclass
class ScriptedEngine:
    """Answers from a script, and keeps a log of who waited for what."""

    meta: Sequence[Completion] = ()
    solution: Sequence[Completion] = ()
    log: list[str] = field(default_factory=list)
    delays: dict[str, float] = field(default_factory=dict)
    fail: str | None = None
    name: str = ""

    def encode(self, prompt: str) -> list[int]:
        return [ord(c) for c in prompt]

    async def generate(
        self, token_ids: Sequence[int], *, max_tokens: int, n: int, kind: str
    ) -> Sequence[Completion]:
        self.log.append(f"{self.name}{kind} starts")
        try:
            await asyncio.sleep(self.delays.get(kind, 0.0))
        except asyncio.CancelledError:
            self.log.append(f"{self.name}{kind} cancelled")
            raise
        if self.fail == kind:
            raise RuntimeError(f"the engine died in {kind}")
        self.log.append(f"{self.name}{kind} ends")
        script = self.meta if kind == "meta" else self.solution
        assert len(script) == n, f"the script has {len(script)} {kind} rollouts, asked were {n}"
        return script


class ScriptedVerifier:
    """Right when the gold answer is the last word; "?" makes it time out, "!" fail."""

    async def averify(self, answer_text: str, gold: str) -> Verdict:
        last = answer_text.split()[-1]
        status = {"?": "timeout", "!": "error"}.get(last)
        if status is None:
            status = "correct" if last == gold else "incorrect"
        return Verdict(status=status, answer=None if status in ("timeout", "error") else last)


_OWN_FIELDS = ("signals", "prompt_max_tokens", "count_notions")


def make_settings(meta: int, solution: int) -> EpisodeSettings:
    return EpisodeSettings(
        meta=MetaSettings(rollouts=meta, max_tokens=50, prompt=MetaPromptForm(min_length=1)),
        solution=SolutionSettings(rollouts=solution, max_tokens=100, template="Solve: {problem}"),
    )


def change_settings(chosen: EpisodeSettings, **changes: object) -> EpisodeSettings:
    """Settings with others in their places, each by its own name; "rollouts" is M."""
    parts: dict[str, dict[str, object]] = {"meta": {}, "solution": {}, "own": {}}
    for name, value in changes.items():
        of_meta = name in MetaSettings.model_fields and name != "signals"
        of_solution = name in SolutionSettings.model_fields
        parts["meta" if of_meta else "solution" if of_solution else "own"][name] = value
    return EpisodeSettings(
        meta=MetaSettings.model_validate({**dict(chosen.meta), **parts["meta"]}),
        solution=SolutionSettings.model_validate({**dict(chosen.solution), **parts["solution"]}),
        **{**{n: getattr(chosen, n) for n in _OWN_FIELDS}, **parts["own"]},
    )


@dataclass
class ProblemScript:
    """What a policy says to one problem, and how long it takes for it.

    Attributes:
        meta: answers to the meta prompt.
        solution: (text, tokens) of each solution, as it would run to its own end.
        delays: seconds until the completions of a kind are there.
        stated_at: after so many tokens a solution has stated its last word; None: at its end.
    """

    meta: Sequence[str] = ()
    solution: Sequence[tuple[str, int]] = ()
    delays: dict[str, float] = field(default_factory=dict)
    stated_at: int | None = None


@dataclass
class ScriptedPolicy:
    """An engine for many problems: stops at `max_tokens`, keeps a log of starts and ends.

    A solution that is stopped before it has stated its last word lacks it, and ends in "so".
    """

    scripts: dict[str, ProblemScript]
    log: list[str] = field(default_factory=list)
    asked: list[tuple[str, str, int]] = field(default_factory=list)
    prompts: list[str] = field(default_factory=list)

    def encode(self, prompt: str) -> list[int]:
        return [ord(c) for c in prompt]

    async def generate(
        self, token_ids: Sequence[int], *, max_tokens: int, n: int, kind: str
    ) -> Sequence[Completion]:
        prompt = "".join(map(chr, token_ids))
        (name,) = [name for name in self.scripts if name in prompt]
        script = self.scripts[name]
        self.log.append(f"{name} {kind} starts")
        self.asked.append((name, kind, max_tokens))
        self.prompts.append(prompt)
        await asyncio.sleep(script.delays.get(kind, 0.0))
        self.log.append(f"{name} {kind} ends")
        if kind == "meta":
            made = [make_completion(text, tokens=5) for text in script.meta]
        else:
            made = [self._stopped(script, text, end, max_tokens) for text, end in script.solution]
        assert len(made) == n, f"the script has {len(made)} {kind} rollouts, asked were {n}"
        return made

    def _stopped(self, script: ProblemScript, text: str, end: int, max_tokens: int) -> Completion:
        if end <= max_tokens:
            return make_completion(text, tokens=end)
        stated = script.stated_at is not None and script.stated_at <= max_tokens
        return make_completion(text if stated else "so", tokens=max_tokens, truncated=True)
