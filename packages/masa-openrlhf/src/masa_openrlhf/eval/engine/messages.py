"""What the evaluator and a copy of the model say to each other: a line of JSON a message."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, model_validator


class Message(BaseModel):
    """A message; what it is not declared to hold is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class StartMessage(Message):
    """The first message to a copy: how it starts.

    Attributes:
        arguments: of vLLM's EngineArgs.
        environment: variables that it must see before it imports vLLM.
        asked_as: the configuration prompts are encoded by, as JSON holds it.
        chat_if_any: put prompts in chat form where the tokenizer has one, whatever that says.
    """

    arguments: dict[str, Any]
    environment: dict[str, str]
    asked_as: dict[str, Any]
    chat_if_any: bool


class EngineReady(Message):
    """The first message of a copy: it takes requests now.

    Attributes:
        max_model_len: longest prompt and answer together, tokens.
    """

    ready: Literal[True] = True
    max_model_len: int


class GenerateRequest(Message):
    """A prompt, and how its answers are sampled.

    Attributes:
        id: names it in the reply.
        prompt: the text, before it is put in chat form.
        n: answers wanted.
        max_tokens: longest answer; less where the model's context is shorter.
        temperature: of the samples.
        top_p: of the samples.
        seed: of the samples.
    """

    id: str
    prompt: str
    n: int
    max_tokens: int
    temperature: float
    top_p: float
    seed: int


class GeneratedAnswer(Message):
    """One answer of the model.

    Attributes:
        text: as it was decoded.
        tokens: how many it has.
        truncated: whether it was cut off at the limit.
    """

    text: str
    tokens: int
    truncated: bool


class GenerateReply(Message):
    """All n answers to a request, or why there are none.

    Attributes:
        id: of the request.
        prompt_tokens: length of the encoded prompt.
        answers: in the order of sampling; None where the prompt leaves no room for one.
        room: only where there are none: the longest prompt and answer together, tokens.
    """

    id: str
    prompt_tokens: int
    answers: tuple[GeneratedAnswer, ...] | None = None
    room: int | None = None

    @model_validator(mode="after")
    def _check(self) -> GenerateReply:
        if (self.answers is None) == (self.room is None):
            raise ValueError(
                f"a reply has either answers or room, got answers {self.answers!r:.80} and room "
                f"{self.room!r}"
            )
        return self


_FROM_ENGINE: TypeAdapter[EngineReady | GenerateReply] = TypeAdapter(EngineReady | GenerateReply)


def encode_message(message: Message) -> str:
    """Return the line of a message, in ASCII, with its end."""
    # Not by pydantic's own JSON: a model's text may hold a lone surrogate, which that refuses.
    return json.dumps(message.model_dump(exclude_none=isinstance(message, GenerateReply))) + "\n"


def decode_engine_message(line: str | bytes) -> EngineReady | GenerateReply:
    """Return what a copy says.

    Raises:
        ValueError: it is neither of the two messages.
    """
    return _FROM_ENGINE.validate_python(json.loads(line))
