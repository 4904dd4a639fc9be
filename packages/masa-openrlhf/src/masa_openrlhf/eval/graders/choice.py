r"""Multiple choice: the letter in the last box, or the text of exactly one choice there.

Only a box states an answer. A letter that stands first or last in a text says nothing: "A" is a
word, and a list of all choices ends with one of them.
"""

from __future__ import annotations

import re

from masa_rewards import Verdict
from masa_rewards.verify.extraction import Extraction, find_answer

from masa_openrlhf.eval.benchmarks.choices import LETTERS
from masa_openrlhf.eval.graders import strip_thinking
from masa_openrlhf.eval.question import Question

_BRACE = re.compile(r"(\\(?:text|textbf|mathrm|mathbf|mathsf|textrm)\s*\{)|[{}]")
_LETTER = re.compile(
    r"(?:(?:the\s+)?(?:option|choice|answer)\s*(?:is\s*)?:?\s*)?"
    r"(?:\(([A-Z])\)|\[([A-Z])\]|([A-Z]))(?:\s*[).:]\s*(.*)|\s*[.)]?)",
    re.IGNORECASE | re.DOTALL,
)


class ChoiceGrader:
    """Judges the stated choice.

    Args:
        extraction: what states an answer: a box, or "the answer is ..." too.
    """

    def __init__(self, extraction: Extraction = "boxed") -> None:
        self._extraction = extraction

    def grade(self, question: Question, text: str) -> Verdict:
        """Judge one answer. A letter beyond the choices, or two letters, are unparsable."""
        stated = find_answer(strip_thinking(text), self._extraction)
        if stated is None:
            return Verdict(status="unparsable", answer=None, detail="no answer is stated")
        letter = read_choice(stated, question.options)
        if letter is None:
            return Verdict(
                status="unparsable",
                answer=stated,
                detail="neither one of the letters nor one of the choices",
            )
        return Verdict(status="correct" if letter == question.gold else "incorrect", answer=letter)


def read_choice(stated: str, options: tuple[str, ...]) -> str | None:
    r"""Read which choice an answer names.

    Args:
        stated: what is in the box: "B", "(b)", "\text{B}", "Option B", "B) its text", its text.
        options: the choices as they were asked.

    Returns:
        The letter; None where it names none, several, or one with the text of another.
    """
    plain = _strip_layout(stated)
    texts = {LETTERS[place]: _strip_layout(option) for place, option in enumerate(options)}
    named = _LETTER.fullmatch(plain)
    if named:
        letter = next(group for group in named.groups()[:3] if group).upper()
        rest = (named[4] or "").strip()
        if letter not in texts:
            return None
        return letter if not rest or rest == texts[letter] else None
    same = [letter for letter, option in texts.items() if option == plain]
    return same[0] if len(same) == 1 else None


def _strip_layout(text: str) -> str:
    r"""Take off dollar signs, \text{} and white space that is layout; small letters."""
    bare = text.replace("$", "").replace("\\ ", " ").replace("**", "")
    return " ".join(_unwrap_text(bare).split()).strip(" .").casefold()


def _unwrap_text(text: str) -> str:
    r"""Take off \text{} and its like where no other braces are within: one pass, however deep."""
    pieces: list[str] = []
    opened: list[tuple[int, bool]] = []  # place among the pieces; whether it can be taken off
    done = 0
    for brace in _BRACE.finditer(text):
        pieces += text[done : brace.start()], brace[0]
        done = brace.end()
        if brace[0] != "}":
            opened.append((len(pieces) - 1, brace[1] is not None))
            continue
        place, wrapper = opened.pop() if opened else (0, False)
        if wrapper:
            pieces[place] = pieces[-1] = ""
        elif opened:
            opened[-1] = (opened[-1][0], False)
    return "".join([*pieces, text[done:]])
