"""How a prompt is put to the policy: chat form, then tokens."""

from __future__ import annotations

from typing import Any

from masa_control import EpisodeSettings, Problem

from masa_openrlhf.config import TrainConfig


class Prompts:
    """Encodes prompts with the policy's tokenizer.

    Args:
        tokenizer: a Hugging Face tokenizer.
        config: the run's configuration.

    Raises:
        ValueError: the chat form is wanted and the tokenizer has none.
    """

    def __init__(self, tokenizer: Any, config: TrainConfig) -> None:
        self._tokenizer = tokenizer
        self._chat = config.model.chat_template
        self._settings: EpisodeSettings = config.episode_settings()
        if self._chat and not tokenizer.chat_template:
            raise ValueError(
                f"the tokenizer of {config.model.path!r} has no chat template: "
                "set model.chat_template = false, or use a tokenizer that has one"
            )

    def encode(self, prompt: str) -> list[int]:
        """Return the token ids of ``prompt``, in the chat form where the run uses it."""
        if self._chat:
            messages = [{"role": "user", "content": prompt}]
            prompt = self._tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=True
            )
        ids: list[int] = self._tokenizer(prompt, add_special_tokens=False)["input_ids"]
        return ids

    def longest(self, problem: Problem) -> int:
        """Return the length of the longer of the problem's prompts, tokens."""
        prompts = [self._settings.solution_prompt(problem)]
        if self._settings.meta_rollouts:
            prompts.append(self._settings.meta_prompt.render(problem.text))
        return max(len(self.encode(prompt)) for prompt in prompts)
