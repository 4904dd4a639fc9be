"""The tiny tokenizer: a Hugging Face fast tokenizer that can write any text.

Byte-level BPE over the whole byte alphabet, so nothing is unknown: a tiny model can be pointed at
real mathematics (and will be bad at it). Digits stand alone. Merges are learned on the task's own
texts, so that its words, and the fixed pieces of a prediction's JSON, take one token each.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING

from masa_openrlhf.tiny.demonstrations import NOTIONS, write_meta_demo, write_solution_demo
from masa_openrlhf.tiny.task import make_problems
from masa_openrlhf.tiny.wording import META_TEMPLATE, SOLUTION_TEMPLATE

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

VOCABULARY = 512
"""Exactly so many tokens, a multiple of 64: no row of the embedding is without a token."""

PAD, END = "<|pad|>", "<|end|>"
ROLES = ("<|system|>", "<|user|>", "<|assistant|>")

PIECE_PATTERN = "|".join(
    [
        r" ?\p{N}",  # a digit, with the space before it
        r"\s?\([a-z]\)",  # the label of a step, with its line break
        r"\\[a-z]+\{?",  # \boxed{
        r"</?[a-z]+>",  # <meta>
        r'[{,]? ?"\w+":(?: \[")?',  # a JSON key, with what opens its value
        r'"\]\}',  # what closes a list and the object
        r'", "',  # between two strings of a JSON list
        r" ?\p{L}+",
        r" ?[^\s\p{L}\p{N}]+",
        r"\s+(?!\S)",
        r"\s+",
    ]
)
"""What BPE never merges across: the pieces that may become one token."""

CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}"
    "{% if message['role'] == 'assistant' %}<|end|>{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)

SAMPLE_TEXT = (
    "Let the number of points in a square be such that for all positive integers there is one value"
    " of this sum. Find and determine what is the total area, if each line has length greater than"
    " that. Therefore we have an equation which gives our answer. Suppose it can be written as two"
    " real numbers or some other function. How many different ways are possible? The solution is to"
    " show an angle with its side, then multiply and divide. So when they are equal we get"
)
"""Words of ordinary problems: they use up the merges that the task leaves."""


def _list_corpus() -> Iterator[str]:
    rng = random.Random("tiny corpus")
    yield SAMPLE_TEXT
    for problem in make_problems(2000, seed=-1):
        yield SOLUTION_TEMPLATE.format(problem=problem.problem)
        yield META_TEMPLATE.format(problem=problem.problem)
        yield write_solution_demo(problem, rng)
        yield write_meta_demo(problem, rng)
    for notion in NOTIONS:
        yield from [notion, f" {notion}"] * 50


def make_tokenizer() -> PreTrainedTokenizerFast:
    """Train the tokenizer: the same one every time, in about a second."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PIECE_PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[PAD, END, *ROLES],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator(_list_corpus(), trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=core,
        pad_token=PAD,
        eos_token=END,
        extra_special_tokens=list(ROLES),
        model_max_length=2048,
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    if len(tokenizer) != VOCABULARY:
        raise RuntimeError(f"expected {VOCABULARY} tokens, the corpus gave {len(tokenizer)}")
    return tokenizer


def render_chat_prompt(tokenizer: PreTrainedTokenizerFast, content: str) -> str:
    """Return what the policy continues: `content` as the user's message, the assistant's opened."""
    messages = [{"role": "user", "content": content}]
    text: str = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    return text
