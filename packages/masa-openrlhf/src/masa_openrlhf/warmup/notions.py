"""Notions for demonstrated predictions: content words of solutions of OTHER problems."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

from masa_rewards import ENGLISH_STOP_WORDS, NotionRules, common_words
from masa_rewards.notions.phrases import find_phrases, to_phrase
from masa_rewards.notions.words import FoldedText

from masa_openrlhf.warmup.observations import ObservedProblem

_FEWEST_LETTERS = 4
_MOST = 3
_TRIES = 16


class NotionDealer:
    """Deals content words of solutions to problems that they are not of.

    Content words have four letters or more, are on no list of stop words, are admitted by the run's
    rules, and do not stand in most solutions of all.

    Args:
        observed: problems with the model's own solutions.
        rules: the run's: which notions count.
        otherwise: texts whose words are taken where the solutions have none.
    """

    def __init__(
        self, observed: Sequence[ObservedProblem], rules: NotionRules, otherwise: Iterable[str]
    ) -> None:
        texts = [[answer.text for answer in one.answers] for one in observed]
        every = [text for some in texts for text in some]
        frequent = common_words(every) if every else frozenset()
        self._by_problem = [list_content_words(some, rules, frequent) for some in texts]
        if not any(self._by_problem):
            self._by_problem = [list_content_words(otherwise, rules)] * len(texts)

    def deal(self, index: int, statement: str, rng: random.Random) -> tuple[str, ...]:
        """Return one to three notions for a problem; none where no other problem has any.

        Args:
            index: of the problem among the observed ones: its own solutions are left out.
            statement: words that stand in it are left out, as they would not count.
            rng: chooses.
        """
        others = [i for i, words in enumerate(self._by_problem) if i != index and words]
        for _ in range(_TRIES if others else 0):
            words = self._by_problem[rng.choice(others)]
            dealt = rng.sample(words, min(len(words), rng.randint(1, _MOST)))
            phrases = {to_phrase(word): word for word in dealt}
            named = find_phrases(statement, phrases)
            if kept := [word for phrase, word in phrases.items() if phrase not in named]:
                return tuple(kept)
        return ()


def list_content_words(
    texts: Iterable[str], rules: NotionRules, left_out: frozenset[str] = frozenset()
) -> list[str]:
    """Return the content words of texts that the rules admit, each once, in alphabetic order.

    Examples:
        >>> list_content_words(["By the Sieve, 4 primes."], NotionRules())
        ['primes', 'sieve']
    """
    words = {word.decode() for text in texts for word in FoldedText.of(text).all()}
    return sorted(
        word
        for word in words - ENGLISH_STOP_WORDS - left_out
        if len(word) >= _FEWEST_LETTERS and word.isalpha() and rules.admit(to_phrase(word))
    )
