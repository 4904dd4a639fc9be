"""The presets' training step fits a card of 80 GB, with room: at real size, on fake tensors."""

import pytest

pytest.importorskip("transformers")
torch = pytest.importorskip("torch")

from masa_openrlhf.config.layers import build_config, read_preset  # noqa: E402
from masa_openrlhf.gpu import memory  # noqa: E402


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("preset", sorted(memory.SHAPES))
def test_a_training_step_leaves_room_on_80_gb_also_after_a_resume(preset):
    config = build_config(read_preset(preset))
    tokens, shape = config.batch.max_tokens_per_gpu, memory.SHAPES[preset]
    assert (config.cluster.zero_stage, config.world_size) == (3, 8)
    found = memory.estimate_memory(shape, tokens)
    assert found.room > memory.WANTED_ROOM
    assert memory.estimate_memory(shape, tokens, resumed_moments=True).room > memory.WANTED_ROOM


@pytest.mark.filterwarnings("ignore")
def test_whole_logits_in_float32_are_what_took_it():
    shape, tokens = memory.QWEN3_8B, 32_768
    whole = memory.estimate_memory(shape, tokens, chunked=False)
    chunked = memory.estimate_memory(shape, tokens)
    assert whole.room < memory.WANTED_ROOM < chunked.room
    logits = 4 * tokens * shape.vocabulary
    # Logits and their gradient in float32, and the gradient in bfloat16: two and a half, less what
    # a chunk and the gradient of the layer's weight take.
    assert 2.0 * logits < whole.activations - chunked.activations < 2.5 * logits


def test_the_shapes_have_as_many_parameters_as_the_models():
    assert memory.measure_peak(memory.QWEN3_8B, 256, chunked=True)[0] == 8_190_735_360
    assert memory.measure_peak(memory.QWEN3_14B, 256, chunked=True)[0] == 14_768_307_200


def test_what_is_alive_is_counted_once_and_dropped_when_it_goes():
    watched = memory._make_memory_watch()
    with watched:
        first = torch.empty(1000, dtype=torch.float32)
        view = first[:10]
        second = torch.empty(500, dtype=torch.float32)
        del second
        third = torch.empty(250, dtype=torch.float32)
    assert watched.peak == 6000
    assert watched._now == 5000
    del first, view, third
    assert watched._now == 0


@pytest.mark.filterwarnings("ignore")
def test_a_small_model_holds_as_much_in_truth(monkeypatch):
    """The same passes on real tensors: the count is that of fake ones."""
    small = memory.ModelShape(64, 2, 4, 2, 128, vocabulary=1000, head=16)
    fake = memory.measure_peak(small, 512, chunked=True)
    from contextlib import nullcontext

    from torch._subclasses import fake_tensor

    monkeypatch.setattr(fake_tensor, "FakeTensorMode", lambda **_: nullcontext())

    def attention(module, query, key, value, mask, **_):
        out = torch.nn.functional.scaled_dot_product_attention(
            query, key, value, is_causal=True, enable_gqa=True
        )
        return out.transpose(1, 2), None

    monkeypatch.setattr(memory, "_fake_attention", attention)
    real = memory.measure_peak.__wrapped__(small, 512, chunked=True)
    assert real[0] == fake[0]
    assert real[1] == pytest.approx(fake[1], rel=0.05)
