"""The closed forms against the models' own code, at real size, on fake tensors: within 5 %."""

import pytest

pytest.importorskip("transformers")
pytest.importorskip("torch")

from masa_openrlhf.gpu.memory import measure_peak
from masa_openrlhf.plan.activations import (
    CHUNK_BYTES,
    compute_scoring_peak,
    compute_training_peak,
)
from masa_openrlhf.plan.shapes import SHAPES

pytestmark = pytest.mark.filterwarnings("ignore")

SIZES = ["0.6B", "8B", "14B"]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("tokens", "checkpointing"), [(4096, True), (16_384, True), (16_384, False)]
)
def test_training_is_what_the_model_holds_within_5_percent(size, tokens, checkpointing):
    shape = SHAPES[f"Qwen/Qwen3-{size}"]
    parameters, measured = measure_peak(shape, tokens, checkpointing=checkpointing)
    assert shape.parameters == parameters
    planned = compute_training_peak(shape, tokens, checkpointing=checkpointing)
    assert planned.total == pytest.approx(measured, rel=0.05)


@pytest.mark.parametrize("size", SIZES)
def test_scoring_is_what_the_model_holds_within_5_percent(size):
    shape = SHAPES[f"Qwen/Qwen3-{size}"]
    measured = measure_peak(shape, 16_384, gradients=False)[1]
    assert compute_scoring_peak(shape, 16_384).total == pytest.approx(measured, rel=0.05)


def test_whole_logits_are_what_openrlhf_alone_would_hold():
    shape = SHAPES["Qwen/Qwen3-8B"]
    measured = measure_peak(shape, 16_384, chunked=False)[1]
    planned = compute_training_peak(shape, 16_384, chunked=False)
    assert planned.total == pytest.approx(measured, rel=0.05)
    # Logits and their gradient in float32 and the gradient in bfloat16 are two and a half times
    # the logits, less what a chunk and the gradient of the layer's weight take.
    more = measured - measure_peak(shape, 16_384)[1]
    logits = 4 * 16_384 * shape.vocabulary
    assert 1.8 * logits < more < 2.5 * logits


def test_more_tokens_hold_more_and_a_chunk_is_the_most_of_logits():
    shape = SHAPES["Qwen/Qwen3-8B"]
    totals = [compute_training_peak(shape, n).total for n in (1, 1024, 8192, 32_768)]
    assert totals == sorted(totals)
    assert compute_scoring_peak(shape, 100).logits < compute_scoring_peak(shape, 4096).logits
    assert compute_scoring_peak(shape, 4096).logits == 2.5 * CHUNK_BYTES
