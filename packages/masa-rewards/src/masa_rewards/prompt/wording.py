"""The default wordings of the two prompts, and how a wording is filled in.

>>> from masa_rewards import SOLUTION_TEMPLATE
>>> SOLUTION_TEMPLATE.replace("{problem}", "2 + 2?").splitlines()[0]
'2 + 2?'
"""

from __future__ import annotations

import re
from collections.abc import Mapping

DEFAULT_WORDING = """\
You are about to make {scale} independent attempts at the math problem below. Do not solve it now. \
Predict how your attempts will go.

First think briefly, between {opening} and {closing}, about your own attempts: how many of the \
{scale} would reach the right answer, how many tokens an attempt that does would take, and which \
mathematical notions it would use that the problem does not name itself.

Then state your prediction as one JSON object with exactly these keys, and write nothing after it:
- "{notions_key}": a list of strings, the mathematical notions a right attempt would use.
- "{pass_rate_key}": an integer from 0 to {scale}, how many of the {scale} attempts would be right.
- "{length_key}": an integer from {min_length} to {max_length}, the length in tokens of a right \
attempt.{extra}

Your answer looks like this:
{opening} how my attempts would go {closing}
{"{notions_key}": [...], "{pass_rate_key}": ..., "{length_key}": ...{extra_form}}

Problem:
{problem}
"""

SOLUTION_TEMPLATE = (
    "{problem}\n\nPlease reason step by step, and put your final answer within \\boxed{}."
)
"""The default solution prompt; `{problem}` stands for the statement, any other brace for itself."""

PROBLEM = "{problem}"
EXTRA = "{extra}"


def fill_wording(wording: str, values: Mapping[str, str]) -> str:
    """Put values in the place of `{name}`, in one pass: braces in a value are left as they are.

    Args:
        wording: Text with placeholders. Any other brace stands for itself.
        values: Name -> text.

    Returns:
        The wording with every placeholder of `values` replaced.
    """
    names = "|".join(map(re.escape, values))
    return re.sub(rf"\{{({names})\}}", lambda match: values[match.group(1)], wording)
