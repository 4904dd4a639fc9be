"""What is alive in a model's passes is counted right; masa_openrlhf.plan rests on it."""

import pytest

pytest.importorskip("transformers")
torch = pytest.importorskip("torch")

from masa_openrlhf.gpu import memory  # noqa: E402
from masa_openrlhf.plan.shapes import ModelShape  # noqa: E402


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
    small = ModelShape(64, 2, 4, 2, 128, vocabulary=1000, head=16)
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
