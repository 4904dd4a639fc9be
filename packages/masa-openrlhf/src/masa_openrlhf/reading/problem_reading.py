"""What the run's reader believes of the problems of a step, before they are sent to be played."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from masa_control import Belief, Controller, Problem, ProblemView
from numpy.typing import NDArray

from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.data.prompts import PromptEncoder

ReadHidden = Callable[[Sequence[Sequence[int]]], Sequence[NDArray[np.float32]]]
"""Has the policy read prompts; returns the features of each, in their order."""


class ProblemReading:
    """Shows problems to the controller's reader, with what it needs to see of them.

    Args:
        controller: has the reader.
        masa: the run's configuration.
        tokenizer: the policy's.
        read_hidden: has the policy read prompts.
    """

    def __init__(
        self, controller: Controller, masa: TrainConfig, tokenizer: Any, read_hidden: ReadHidden
    ) -> None:
        self._controller, self._read_hidden = controller, read_hidden
        self._needs = controller.reader_needs
        self._settings = masa.episode_settings()
        self._masa, self._tokenizer = masa, tokenizer
        self._prompts: PromptEncoder | None = None
        self._ahead: dict[str, Belief | None] = {}

    @property
    def looks_ahead(self) -> bool:
        """Whether problems have to be known before a step begins."""
        return self._needs == "hidden"

    def prepare(self, problems: Sequence[tuple[str, Mapping[str, Any]]], step: int) -> None:
        """Have the policy, as it is now, read the problems that the coming step may draw.

        Args:
            problems: statement and label of each.
            step: the coming step.
        """
        prompts = [self._encode(text, label) for text, label in problems]
        found = self._read_hidden(prompts) if prompts else []
        views = [
            ProblemView(label["id"], hidden_D=hidden)
            for (_, label), hidden in zip(problems, found, strict=True)
        ]
        beliefs = self._controller.read_many(views, step)
        self._ahead = {v.problem_id: b for v, b in zip(views, beliefs, strict=True)}

    def read(
        self, texts: Sequence[str], labels: Sequence[Mapping[str, Any]], step: int
    ) -> list[Belief | None]:
        """Return what is believed of problems that are drawn; None where nothing is.

        Where hidden states are read nothing is believed of a problem that nobody looked at ahead of
        time, since more were drawn: it is rolled out whole, and not learned of.
        """
        if self._needs == "hidden":
            return [self._ahead.get(label["id"]) for label in labels]
        views = [self._view(text, label) for text, label in zip(texts, labels, strict=True)]
        return self._controller.read_many(views, step)

    def _view(self, text: str, label: Mapping[str, Any]) -> ProblemView:
        prompt = self._encode(text, label) if self._needs == "prompt" else ()
        return ProblemView(label["id"], prompt)

    def _encode(self, text: str, label: Mapping[str, Any]) -> list[int]:
        if self._prompts is None:
            self._prompts = PromptEncoder(self._tokenizer, self._masa)
        problem = Problem(id=label["id"], text=text, answer=label["answer"])
        return self._prompts.encode(self._settings.solution_prompt(problem))
