"""Words without information about how a problem is solved, for `NotionRules.stop_words`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from masa_rewards.notions.words import FoldedText

_ENGLISH = """
    a an the i me my myself we us our ours ourselves you your yours yourself yourselves he him
    his himself she her hers herself it its itself they them their theirs themselves this that
    these those who whom whose which what when where why how whether about above across after
    against along among around as at before behind below beneath beside between beyond by down
    during except for from in inside into like near of off on out outside over past per since
    than through throughout till to toward towards under until up upon via with within without
    and but or nor so yet if then else because although though while unless hence thus therefore
    be am is are was were been being do does did done doing have has had having can could may
    might must shall should will would ought let s t ll re ve isn aren wasn weren don doesn didn
    haven hasn hadn couldn shouldn wouldn all any both each either every few many more most much
    neither no none not only other another own same several some such just also too very again
    further here there now once already always never often still ever quite rather almost indeed
    however
"""

ENGLISH_STOP_WORDS = frozenset(_ENGLISH.split())
"""The closed classes of English: words that do not name a topic."""


def common_words(texts: Iterable[str], *, share: float = 0.5) -> frozenset[str]:
    """Make a stop list from rollouts: the words that are in most of them.

    Give it rollouts of many different problems. A word that is in most of those ("step", "answer",
    "equation") cannot separate correct from incorrect rollouts of any one problem.

    Args:
        texts: One or more texts, at best some hundred.
        share: Share of the texts that a word must be in, in (0, 1].

    Returns:
        The words, case-folded.

    Raises:
        ValueError: If there is no text, or `share` is not in (0, 1].

    Examples:
        >>> texts = ["The sum is 5.", "So the sum is 7.", "The product is 6."]
        >>> sorted(common_words(texts, share=0.6))
        ['is', 'sum', 'the']
    """
    if not 0 < share <= 1:
        raise ValueError(f"share must be in (0, 1]: got {share!r}")
    found: Counter[str] = Counter()
    count = 0
    for count, text in enumerate(texts, start=1):  # noqa: B007
        found.update({word.decode() for word in FoldedText.of(text).all()})
    if not count:
        raise ValueError("no texts: give rollouts to draw common words from")
    return frozenset(word for word, times in found.items() if times >= share * count)
