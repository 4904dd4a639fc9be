"""Which reader decides: who says how likely a problem is to be solved."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, Tag, field_validator

from masa_control.settings import Settings, discriminate_by_rule


class SampledReaderSettings(Settings):
    """The paper's reader: the M predictions of the policy."""

    rule: Literal["sampled"] = "sampled"
    """sampled (the paper): mean and standard deviation of the M predicted pass rates."""


class DistributionReaderSettings(Settings):
    """The policy's predictions, each number read off the probabilities of its digits."""

    rule: Literal["distribution"] = "distribution"
    """distribution: expectation and spread over the digits that could stand in the place of the
    predicted pass rate; one prediction (meta.rollouts = 1) is enough."""
    min_mass: float = Field(default=0.5, gt=0, le=1)
    """Smallest probability that the digits of the scale have together in that place, in (0, 1];
    with less a prediction cannot be read."""


class RegressionSettings(Settings):
    """What the readers have that are fitted to the outcomes of the last groups."""

    window: int = Field(default=512, ge=2)
    """Groups that are fitted; older ones are of an older policy."""
    min_groups: int = Field(default=40, ge=2)
    """Groups before anything is believed; until then nothing is skipped."""
    l2: float = Field(default=3.0, gt=0)
    """L2 penalty on the weights of the features; higher is more cautious."""


class WordsReaderSettings(RegressionSettings):
    """A regression on the words of the problem: no token sampled, nothing asked of the policy."""

    rule: Literal["words"] = "words"
    """words: binomial regression of the outcomes on how often each token stands in the solution
    prompt."""


class ProbeReaderSettings(RegressionSettings):
    """A regression on what the policy makes of the problem: its hidden states, no token sampled."""

    rule: Literal["probe"] = "probe"
    """probe: binomial regression of the outcomes on the policy's hidden states over the solution
    prompt, by one forward pass."""
    depths: tuple[float, ...] = (0.5, 1.0)
    """Which layers, as shares of the model's depth, in (0, 1]. Of each the last token and the mean
    over the prompt are read."""

    @field_validator("depths")
    @classmethod
    def _within_the_model(cls, depths: tuple[float, ...]) -> tuple[float, ...]:
        if not depths or len(set(depths)) < len(depths) or not all(0 < d <= 1 for d in depths):
            raise ValueError(
                f"depths are different shares of the model's layers in (0, 1], got {depths!r}"
            )
        return depths


class HistoryReaderSettings(Settings):
    """What became of the same problem before; for data that are gone through several times."""

    rule: Literal["history"] = "history"
    """history: the outcomes of the problem in earlier passes over the data."""
    prior: float = Field(default=2.0, gt=0)
    """Outcomes that the mean over all problems is worth beside those of the problem."""
    half_life: float = Field(default=200.0, gt=0)
    """Steps after which an outcome counts half. A problem that is skipped for long is tried
    again."""


ReaderSettings = Annotated[
    Annotated[SampledReaderSettings, Tag("sampled")]
    | Annotated[DistributionReaderSettings, Tag("distribution")]
    | Annotated[WordsReaderSettings, Tag("words")]
    | Annotated[ProbeReaderSettings, Tag("probe")]
    | Annotated[HistoryReaderSettings, Tag("history")],
    discriminate_by_rule("sampled"),
]
