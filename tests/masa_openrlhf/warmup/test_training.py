"""Batches, rows and tokens of a stage."""

import importlib.util
import random
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st
from masa_control import META, SOLUTION
from masa_openrlhf.config.layers import build_config, read_preset
from masa_openrlhf.config.rules import merge_settings
from masa_openrlhf.warmup.batches import make_batches
from masa_openrlhf.warmup.demonstrations import DemonstrationEncoder, TextDemonstration
from masa_openrlhf.warmup.worker import choose_rate, collate_rows

needs_torch = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("torch", "transformers"))), reason="needs an extra"
)
# Raised while torch, and what transformers draws in with it, are imported.
pytestmark = [
    pytest.mark.filterwarnings("ignore:The pynvml package is deprecated:FutureWarning"),
    pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning"),
]


@given(
    st.lists(st.integers(1, 300), min_size=1, max_size=150),
    st.integers(1, 600),
    st.integers(1, 3),
    st.integers(0, 99),
)
def test_batches_hold_each_once_an_epoch_and_no_more_than_their_tokens(lengths, budget, epochs, s):
    batches = make_batches(lengths, budget, epochs, random.Random(s))
    assert sorted(chain(*batches)) == sorted([*range(len(lengths))] * epochs)
    for batch in batches:
        longest = max(lengths[i] for i in batch)
        assert len(batch) == 1 or longest * len(batch) <= budget


@needs_torch
def test_the_loss_is_on_the_response_alone():
    rows = collate_rows([([5, 6, 7], [8, 9]), ([5], [9])], pad=1)
    assert rows["input_ids"].tolist() == [[5, 6, 7, 8, 9], [5, 9, 1, 1, 1]]
    assert rows["attention_mask"].tolist() == [[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]]
    assert rows["labels"].tolist() == [
        [-100, -100, -100, 8, 9],
        [-100, 9, -100, -100, -100],
    ]


def test_a_rate_falls_with_the_size():
    assert choose_rate(135_000_000) == pytest.approx(1.03e-4, rel=0.01)
    assert choose_rate(8_000_000_000) == pytest.approx(1.34e-5, rel=0.01)


@pytest.fixture(scope="module")
def tokenizer():
    from masa_openrlhf.tiny.tokenizer import make_tokenizer

    return make_tokenizer()


@needs_torch
def test_a_demonstration_is_in_chat_form_and_ends_as_an_answer_does(tokenizer):
    config = build_config(read_preset("tiny"))
    encoder = DemonstrationEncoder(tokenizer, config)
    encoded = encoder.encode(TextDemonstration(SOLUTION, "a", "2 + 3?\nSolve.", "\\boxed{5}"))
    assert tokenizer.decode(encoded.prompt) == "<|user|>2 + 3?\nSolve.<|assistant|>"
    assert tokenizer.decode(encoded.response) == "\\boxed{5}<|end|>"


@needs_torch
def test_without_a_chat_form_the_end_of_the_sequence_ends_it(tokenizer):
    bare = merge_settings(read_preset("tiny"), {"model": {"chat_template": False}})
    encoder = DemonstrationEncoder(tokenizer, build_config(bare))
    encoded = encoder.encode(TextDemonstration(SOLUTION, "a", "2 + 3?", "5"))
    assert tokenizer.decode([*encoded.prompt, *encoded.response]) == "2 + 3?5<|end|>"


@needs_torch
def test_what_is_longer_than_the_runs_limit_is_left_out_and_counted(tokenizer):
    encoder = DemonstrationEncoder(tokenizer, build_config(read_preset("tiny")))
    shown = [
        TextDemonstration(SOLUTION, "a", "?", "5 " * 200),
        TextDemonstration(SOLUTION, "b", "?", "5"),
        TextDemonstration(META, "a", "?", "5 " * 50),
    ]
    encoded = encoder.encode_all(shown)
    assert encoded.shown == shown[1:2]
    assert len(encoded.tokens) == 1
    assert encoded.left_out == {
        "solution of more than 96 tokens": 1,
        "meta of more than 32 tokens": 1,
    }
