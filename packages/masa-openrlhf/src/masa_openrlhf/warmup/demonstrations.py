"""A demonstration: a prompt in the run's wording, and the response that is shown to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from masa_control import META, SOLUTION
from masa_control.episode.types import RolloutKind

from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.data.prompts import PromptEncoder


@dataclass(frozen=True, slots=True)
class TextDemonstration:
    """A demonstration as text.

    Attributes:
        kind: "solution" or "meta".
        problem: id of the problem.
        prompt: before it is put in chat form.
        response: without the token that ends it.
    """

    kind: RolloutKind
    problem: str
    prompt: str
    response: str


class TokenDemonstration(NamedTuple):
    """A demonstration as token ids.

    Attributes:
        prompt: in the run's chat form.
        response: with the token that ends it. The loss is on these alone.
    """

    prompt: list[int]
    response: list[int]


class EncodedDemonstrations(NamedTuple):
    """What is trained on.

    Attributes:
        shown: those that fit, in their order.
        tokens: the same as token ids.
        left_out: how many do not fit, by reason.
    """

    shown: list[TextDemonstration]
    tokens: list[TokenDemonstration]
    left_out: Mapping[str, int]


class DemonstrationEncoder:
    """Encodes demonstrations as a rollout would have them.

    Args:
        tokenizer: the policy's tokenizer.
        config: the run's configuration: chat form and limits.

    Raises:
        ValueError: the chat form is wanted and the tokenizer has none; or it has no end.
    """

    def __init__(self, tokenizer: Any, config: TrainConfig) -> None:
        self._tokenizer = tokenizer
        self.prompts = PromptEncoder(tokenizer, config)
        self._limits = {SOLUTION: config.solution.max_tokens, META: config.meta.max_tokens}
        ends = [*self.prompts.ends_of_turn, tokenizer.eos_token_id]
        if ends[0] is None:
            raise ValueError(
                f"the tokenizer of {config.model.path!r} has no end of sequence, and no token that "
                "ends a turn: an answer could not end"
            )
        self.end: int = ends[0]

    def encode(self, demonstration: TextDemonstration) -> TokenDemonstration:
        """Return the token ids; the response ends with what ends a turn of the chat form."""
        response = self._tokenizer(demonstration.response, add_special_tokens=False)["input_ids"]
        return TokenDemonstration(self.prompts.encode(demonstration.prompt), [*response, self.end])

    def encode_all(self, demonstrations: Iterable[TextDemonstration]) -> EncodedDemonstrations:
        """Encode those whose response is within the run's limit of tokens; count the others."""
        shown, tokens = [], []
        left_out: Counter[str] = Counter()
        for one in demonstrations:
            encoded = self.encode(one)
            if len(encoded.response) > (limit := self._limits[one.kind]):
                left_out[f"{one.kind} of more than {limit} tokens"] += 1
                continue
            shown.append(one)
            tokens.append(encoded)
        return EncodedDemonstrations(shown, tokens, dict(left_out))
