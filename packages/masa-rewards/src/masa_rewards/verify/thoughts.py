"""Takes out what a model thinks before it answers: a box in a thought is no answer."""

from __future__ import annotations

import re

_NAMES = "think|thinking|thoughts?|reason|reasoning|reflection|scratchpad|seed:think"
# What each begins with stands in front: a search then goes from one such sign to the next.
_TAG = re.compile(
    rf"[<\[◁](?:(?P<begin>(?:{_NAMES})>|THINK\]|think▷|\|begin_of_thought\|>|\|(?:{_NAMES})\|>"
    r"|\|channel\|>(?:analysis|commentary)\b[^<]{0,60}<\|message\|>)"
    rf"|(?P<end>/(?:{_NAMES})>|/THINK\]|/think▷|\|end_of_thought\|>|\|/(?:{_NAMES})\|>)"
    # Those of channels end what they began, and else say nothing.
    r"|(?P<close>\|(?:end|return)\|>|\|channel\|>final\b[^<]{0,60}<\|message\|>))",
    re.IGNORECASE,
)


def drop_thoughts(text: str) -> str:
    r"""Return what stands outside of thoughts.

    Examples:
        >>> drop_thoughts(r"<think>maybe \boxed{41}</think> So \boxed{42}")
        ' So \\boxed{42}'

    A thought that no tag ends goes on to the end of the text. One that no tag begins, as where the
    prompt held the first tag, began with the text. There is no thought in a thought.

    Args:
        text: A response. Known are `<think>`, `<thinking>`, `<thought>`, `<reasoning>`,
            `<reflection>`, `<scratchpad>`, `<seed:think>`, `[THINK]`, `◁think▷`,
            `<|begin_of_thought|>`, and the channels of gpt-oss.
    """
    if "<" not in text and "[" not in text and "◁" not in text:
        return text
    shown: list[str] = []
    position, thinking = 0, False
    for tag in _TAG.finditer(text):
        if tag["begin"]:
            if not thinking:
                shown.append(text[position : tag.start()])
            thinking = True
        elif thinking or tag["end"]:
            shown = shown if thinking else []
            position, thinking = tag.end(), False
    return "".join([*shown, "" if thinking else text[position:]])
