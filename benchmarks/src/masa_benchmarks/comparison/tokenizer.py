"""The tokenizer of the task: a Hugging Face fast tokenizer, a token a word."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from masa_openrlhf.tiny.tokenizer import CHAT_TEMPLATE, END, PAD, ROLES
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from masa_benchmarks.comparison.demonstrations import (
    META_TEMPLATE,
    NOTIONS,
    SOLUTION_TEMPLATE,
    write_meta_demo,
    write_solution_demo,
)
from masa_benchmarks.comparison.task import NAMES_BY_SORT, make_problems

UNKNOWN_TOKEN = "<|unknown|>"

TOKEN_PATTERN = "|".join(
    [
        r" ?[0-9]",  # a digit, with the space before it
        r"\n\\boxed\{",
        r"<meta></meta>",
        r'[{,] ?"\w+": ?(?:\[")?',  # a JSON key, with what opens its value
        r'", "',  # between two strings of a JSON list
        r'"\]',
        r" ?[A-Za-z]+",
        r"[\s\S]",
    ]
)
"""What is one token."""


def _generate_texts() -> Iterator[str]:
    rng = random.Random("words")
    yield from (f" {name.text}" for names in NAMES_BY_SORT.values() for name in names)
    yield from (part for notion in NOTIONS for part in (notion, f" {notion}"))
    for problem in make_problems(500, seed=-1):
        yield SOLUTION_TEMPLATE.format(problem=problem.problem)
        yield META_TEMPLATE.format(problem=problem.problem)
        yield write_solution_demo(problem, rng)
        yield write_meta_demo(rng)


def make_tokenizer() -> PreTrainedTokenizerFast:
    """Make the tokenizer: the same one every time. It knows the words of the task and no other."""
    special = [PAD, END, *ROLES, UNKNOWN_TOKEN]
    words = dict.fromkeys(
        piece for text in _generate_texts() for piece in re.findall(TOKEN_PATTERN, text)
    )
    vocabulary = {word: index for index, word in enumerate([*special, *words])}
    core = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN_TOKEN))
    core.add_special_tokens(special)
    core.pre_tokenizer = pre_tokenizers.Split(Regex(TOKEN_PATTERN), behavior="isolated")
    core.decoder = decoders.Fuse()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token=PAD,
        eos_token=END,
        unk_token=UNKNOWN_TOKEN,
        extra_special_tokens=list(ROLES),
        model_max_length=2048,
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer
