"""Which notions count, and which of them are rewarded."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import groupby
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, field_serializer

from masa_rewards.notions.finder import OR
from masa_rewards.notions.phrases import Phrase, to_phrase
from masa_rewards.notions.stop_words import ENGLISH_STOP_WORDS

Counting = Literal["rollout", "rate"]


class NotionCount(NamedTuple):
    """Rollouts of a group in which a notion occurs.

    Attributes:
        correct: c1(n), the correct rollouts with it.
        incorrect: c0(n), the incorrect rollouts with it.
        all_correct: n1, the correct rollouts.
        all_incorrect: n0, the incorrect rollouts.
    """

    correct: int
    incorrect: int
    all_correct: int
    all_incorrect: int


class NotionRules(BaseModel):
    """Which notions count, and which of them are rewarded. The defaults are the paper's.

    By the paper's formula a word that is in every rollout ("the") is rewarded wherever most
    rollouts are correct. Counting by rate removes this bias; a stop list and a minimum length
    remove the words.

    Examples:
        >>> from masa_rewards import ENGLISH_STOP_WORDS, MetaPrediction, Rollout, RolloutGroup
        >>> from masa_rewards import notion_reward
        >>> right = Rollout(text="By the sieve, 4.", length=9, correct=True)
        >>> wrong = Rollout(text="The answer is 5.", length=9, correct=False)
        >>> group = RolloutGroup(problem="How many primes?", rollouts=(right, right, wrong))
        >>> notion_reward(MetaPrediction(notions=("the",)), group)
        1.0
        >>> by_rate = NotionRules(counting="rate")
        >>> notion_reward(MetaPrediction(notions=("the",)), group, rules=by_rate)
        0.0
        >>> stopped = NotionRules(stop_words=ENGLISH_STOP_WORDS)
        >>> notion_reward(MetaPrediction(notions=("the", "sieve")), group, rules=stopped)
        1.0
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, validate_default=True
    )

    counting: Counting = "rollout"
    """When a notion is rewarded. rollout (the paper): it occurs in more correct rollouts than
    incorrect ones, c1(n) - c0(n) > 0. rate: it occurs in a larger share of them,
    c1(n)/n1 > c0(n)/n0; where all rollouts are correct, or all incorrect, there is nothing to
    compare, and no notion is rewarded."""
    min_length: Annotated[int, Field(ge=1, strict=True)] = 1
    """Fewest letters and digits of a notion that counts. Chinese and Japanese write a word in one
    or two."""
    stop_list: Literal["none", "english"] = "none"
    """english: notions of nothing but articles, pronouns, prepositions and the like do not count
    (ENGLISH_STOP_WORDS)."""
    stop_words: frozenset[str] = frozenset()
    """Further words without meaning of their own, in any form. A notion of nothing else does not
    count; "sum of squares" does, though "of" is one of them. `common_words` makes a list from your
    own rollouts."""

    @field_serializer("stop_words", when_used="json")
    def _in_order(self, words: frozenset[str]) -> list[str]:
        return sorted(words)

    def admit(self, notion: Phrase) -> bool:
        """Whether a notion counts, before any rollout is read.

        A notion without a word ("***") does: it occurs nowhere, and is not rewarded.
        """
        if not notion:
            return True
        if self.min_length > 1 and max(_count_letters(notion)) < self.min_length:
            return False
        if not self._stop_lemmas:
            return True
        return not self._stop_lemmas.issuperset({lemma.casefold() for lemma in notion} - {OR})

    def rewards(self, count: NotionCount) -> bool:
        """Whether a notion with this count is rewarded."""
        if self.counting == "rollout":
            return count.correct > count.incorrect
        # c1/n1 > c0/n0, multiplied by n1 * n0: with n1 = 0 or n0 = 0 it is 0 > 0, so not rewarded.
        return count.correct * count.all_incorrect > count.incorrect * count.all_correct

    @cached_property
    def _stop_lemmas(self) -> frozenset[str]:
        listed = ENGLISH_STOP_WORDS if self.stop_list == "english" else frozenset()
        words = (word.casefold() for word in self.stop_words | listed)
        return frozenset(lemma for word in words for lemma in to_phrase(word))


def _count_letters(notion: Phrase) -> Iterator[int]:
    """Yield the number of letters and digits of each alternative of a notion."""
    for is_or, lemmas in groupby(notion, OR.__eq__):
        if not is_or:
            yield sum(map(len, lemmas))
