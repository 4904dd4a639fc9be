"""The embedded default: a model and its problems, made on the spot.

`prepare` needs no files, no hub and no GPU. It makes a Qwen3 of a quarter of a million parameters,
warms it up for about a minute on one core until it solves a bit under half of its problems, and
keeps the result for later runs. Everything the trainer does with a large model it can then do with
this one, on a laptop.

What a run on it shows is that the machinery learns. That careful words and lengths go with right
answers was planted by the demonstrations, see `demonstrations`.

Nothing heavy is imported before `prepare` has something to make.
"""

from masa_openrlhf.tiny.assets import TinyAssets, prepare_assets
from masa_openrlhf.tiny.wording import (
    MAX_LENGTH,
    MAX_META_TOKENS,
    MAX_PROMPT_TOKENS,
    MAX_SOLUTION_TOKENS,
    META_TEMPLATE,
    MIN_LENGTH,
    PASS_RATE_SCALE,
    SOLUTION_TEMPLATE,
)

__all__ = [
    "MAX_LENGTH",
    "MAX_META_TOKENS",
    "MAX_PROMPT_TOKENS",
    "MAX_SOLUTION_TOKENS",
    "META_TEMPLATE",
    "MIN_LENGTH",
    "PASS_RATE_SCALE",
    "SOLUTION_TEMPLATE",
    "TinyAssets",
    "prepare_assets",
]
