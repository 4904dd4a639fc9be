"""What verification came to."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from masa_rewards._text import Text

Status = Literal["correct", "incorrect", "unparsable", "timeout", "error"]

FAILED: tuple[Status, ...] = ("timeout", "error")
"""The verifier failed: no information about the answer."""


class Verdict(BaseModel):
    """What verification came to.

    Attributes:
        status: "correct" or "incorrect"; "unparsable" when the text states no answer, or none that
            can be read, which is wrong too; "timeout" or "error" when the VERIFIER failed, which
            says nothing about the answer: leave that rollout out of the group, and count it.
        answer: The answer as extracted; None when there is none.
        detail: Why, for people; "" where the status is enough.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: Status
    answer: Text | None
    detail: str = ""

    @property
    def correct(self) -> bool:
        """Whether the answer is right; of no meaning where the verifier `failed`."""
        return self.status == "correct"

    @property
    def failed(self) -> bool:
        """Whether the verifier failed, so that the answer is neither right nor wrong."""
        return self.status in FAILED
