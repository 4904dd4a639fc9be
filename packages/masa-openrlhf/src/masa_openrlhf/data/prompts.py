"""How a prompt is put to the policy: chat form, then tokens; and what ends its answer."""

from __future__ import annotations

from typing import Any

from masa_control import EpisodeSettings, Problem

from masa_openrlhf.config.tree import TrainConfig


class PromptEncoder:
    """Encodes prompts with the policy's tokenizer.

    Args:
        tokenizer: a Hugging Face tokenizer.
        config: the run's configuration.

    Attributes:
        ends_of_turn: tokens other than the end of the sequence that end an answer in chat form.

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
        self.ends_of_turn = find_turn_ends(tokenizer) if self._chat else []

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
        if self._settings.meta.rollouts:
            prompts.append(self._settings.meta_prompt.render(problem.text))
        return max(len(self.encode(prompt)) for prompt in prompts)


def find_turn_ends(tokenizer: Any) -> list[int]:
    """Return the special token that a chat template puts after an answer, unless it is the EOS.

    A base model's end of sequence (Qwen3: ``<|endoftext|>``) is not what ends a turn in its chat
    form (``<|im_end|>``): a policy that closes its answer as the form has it would run on to the
    limit.

    Args:
        tokenizer: a Hugging Face tokenizer with a chat template.

    Returns:
        The token in a list; an empty one where the template ends an answer by no special token, or
        by the end of the sequence.
    """
    answer = "ANSWER"
    messages = [{"role": "user", "content": "?"}, {"role": "assistant", "content": answer}]
    text = tokenizer.apply_chat_template(messages, tokenize=False)
    after = text.rpartition(answer)[2].lstrip()
    ids = tokenizer(after, add_special_tokens=False)["input_ids"]
    special = {*tokenizer.all_special_ids, *tokenizer.get_added_vocab().values()}
    return [i for i in ids[:1] if i in special and i != tokenizer.eos_token_id]
