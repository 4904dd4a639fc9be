"""Products of bfloat16 on a CPU without instructions for them."""

import inspect

import pytest

torch = pytest.importorskip("torch", reason="the stack is not installed: masa-openrlhf[cpu]")
functional = torch.nn.functional

from masa_openrlhf.cpu import bfloat16  # noqa: E402


@pytest.fixture(autouse=True)
def as_torch_has_them(monkeypatch):
    """Undoes what a run in this process may have put in their places, and what a test puts."""
    for name in ("linear", "scaled_dot_product_attention"):
        monkeypatch.setattr(functional, name, inspect.unwrap(getattr(functional, name)))


@pytest.fixture
def tensors():
    torch.manual_seed(0)
    return [torch.randn(size, dtype=torch.bfloat16) for size in ((3, 5, 16), (7, 16), (7,))]


def test_a_layer_gives_what_bfloat16_gives_but_for_its_last_rounding(tensors):
    wide = bfloat16.wrap_in_float32(functional.linear)
    for args in (tensors, tensors[:2]):
        plain, result = functional.linear(*args), wide(*args)
        assert result.dtype == torch.bfloat16
        torch.testing.assert_close(result, plain, rtol=2**-7, atol=2**-7)
        exact = functional.linear(*(t.double() for t in args))
        assert (result.double() - exact).abs().max() <= (plain.double() - exact).abs().max() + 1e-6


def test_gradients_are_of_the_dtype_of_what_they_are_of(tensors):
    grads = []
    for product in (functional.linear, bfloat16.wrap_in_float32(functional.linear)):
        leaves = [t.clone().requires_grad_() for t in tensors]
        product(*leaves).float().square().sum().backward()
        assert all(leaf.grad.dtype == torch.bfloat16 for leaf in leaves)
        grads.append([leaf.grad for leaf in leaves])
    for plain, wide in zip(*grads, strict=True):
        torch.testing.assert_close(wide, plain, rtol=2**-5, atol=2**-4)


def test_attention_with_a_mask(tensors):
    q, k, v = torch.randn(3, 2, 4, 6, 8, dtype=torch.bfloat16)
    mask = torch.ones(6, 6, dtype=torch.bool).tril()
    wide = bfloat16.wrap_in_float32(functional.scaled_dot_product_attention)
    for one in (mask, torch.zeros(6, 6, dtype=torch.bfloat16).masked_fill(~mask, -torch.inf)):
        plain = functional.scaled_dot_product_attention(q, k, v, attn_mask=one)
        torch.testing.assert_close(wide(q, k, v, attn_mask=one), plain, rtol=2**-6, atol=2**-6)


def test_float32_is_left_alone(tensors):
    floats = [t.float() for t in tensors]
    result = bfloat16.wrap_in_float32(functional.linear)(*floats)
    assert torch.equal(result, functional.linear(*floats))


@pytest.mark.parametrize("native", [True, False])
def test_only_where_the_cpu_cannot_and_only_once(monkeypatch, native):
    before = functional.linear
    monkeypatch.setattr(bfloat16, "has_native_bfloat16", lambda: native)
    bfloat16.widen_products()
    assert (functional.linear is before) == native
    after = functional.linear
    bfloat16.widen_products()
    assert functional.linear is after


def test_torch_still_says_whether_it_has_a_fast_way():
    assert torch.ops.mkldnn._is_mkldnn_bf16_supported() in (True, False)
