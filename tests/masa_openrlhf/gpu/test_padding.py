"""What stands for flash-attn's padding functions does what those do."""

import sys

import pytest

torch = pytest.importorskip("torch")

from masa_openrlhf.gpu import padding  # noqa: E402

MASK = torch.tensor([[0, 1, 1, 1, 0], [1, 1, 1, 1, 1], [0, 0, 0, 0, 1]])


def test_tokens_are_taken_out_and_put_back():
    values = torch.arange(15.0).reshape(3, 5, 1).requires_grad_()
    tokens, indices, starts, longest, lengths = padding.unpad_input(values, MASK)
    assert tokens.flatten().tolist() == [1, 2, 3, 5, 6, 7, 8, 9, 14]
    assert starts.tolist() == [0, 3, 8, 9]
    assert starts.dtype == torch.int32
    assert (longest, lengths.tolist()) == (5, [3, 5, 1])
    back = padding.pad_input(tokens, indices, 3, 5)
    assert torch.equal(back, values * MASK[..., None])
    weights = torch.randn(3, 5, 1)
    (gradient,) = torch.autograd.grad((back * weights).sum(), values)
    assert torch.equal(gradient, weights * MASK[..., None])


def test_labels_are_taken_by_the_same_indices():
    _, indices, *_ = padding.unpad_input(MASK[..., None], MASK)
    assert padding.index_first_axis(torch.arange(15)[:, None], indices).flatten().tolist() == [
        1, 2, 3, 5, 6, 7, 8, 9, 14,
    ]  # fmt: skip


def test_the_stand_in_is_gone_afterwards():
    pytest.importorskip("einops")
    with padding.replace_flash_attn():
        from flash_attn.bert_padding import unpad_input
        from flash_attn.utils.distributed import all_gather

        assert unpad_input is padding.unpad_input
        with pytest.raises(RuntimeError, match="ring attention"):
            all_gather(None, None)
    assert [name for name in sys.modules if name.startswith("flash_attn")] == []
