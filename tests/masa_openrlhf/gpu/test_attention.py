"""Packed attention is that of each sequence alone."""

import pytest

torch = pytest.importorskip("torch")

from masa_openrlhf.gpu import attention  # noqa: E402

LENGTHS = (5, 1, 9, 2)
HEADS, KEYS, SIZE = 4, 2, 8


def packed(seed=0):
    generator = torch.Generator().manual_seed(seed)
    tokens = sum(LENGTHS)
    query, key, value = (
        torch.randn(1, heads, tokens, SIZE, generator=generator, requires_grad=True)
        for heads in (HEADS, KEYS, KEYS)
    )
    positions = torch.cat([torch.arange(n) for n in LENGTHS])[None]
    return query, key, value, positions


def alone(query, key, value, window=None):
    parts, begin = [], 0
    for length in LENGTHS:
        rows = slice(begin, begin + length)
        q, k, v = query[:, :, rows], key[:, :, rows], value[:, :, rows]
        k, v = (x.repeat_interleave(HEADS // KEYS, dim=1) for x in (k, v))
        scores = q @ k.transpose(-1, -2) / SIZE**0.5
        distance = torch.arange(length)[:, None] - torch.arange(length)[None]
        hidden = (distance < 0) | (distance >= (window or length))
        parts.append((scores.masked_fill(hidden, -torch.inf).softmax(-1) @ v).transpose(1, 2))
        begin += length
    return torch.cat(parts, dim=1)


@pytest.mark.parametrize("window", [None, 3])
def test_values_and_gradients_are_those_of_each_sequence_alone(window):
    *leaves, positions = packed()
    found, weights = attention.compute_packed_attention(
        None, *leaves, None, position_ids=positions, sliding_window=window
    )
    expected = alone(*leaves, window)
    assert weights is None
    torch.testing.assert_close(found, expected)
    pull = torch.randn(expected.shape, generator=torch.Generator().manual_seed(1))
    for mine, theirs in zip(
        torch.autograd.grad(found, leaves, pull),
        torch.autograd.grad(expected, leaves, pull),
        strict=True,
    ):
        torch.testing.assert_close(mine, theirs)


def test_other_positions_are_looked_up_anew():
    *leaves, positions = packed()
    attention.compute_packed_attention(None, *leaves, None, position_ids=positions)
    one = torch.arange(sum(LENGTHS))[None]
    found, _ = attention.compute_packed_attention(None, *leaves, None, position_ids=one)
    unpacked = torch.nn.functional.scaled_dot_product_attention(
        *leaves, is_causal=True, enable_gqa=True
    )
    torch.testing.assert_close(found, unpacked.transpose(1, 2))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"position_ids": None}, "position_ids"),
        ({"attention_mask": torch.ones(1, 1)}, "neither a mask nor dropout"),
        ({"dropout": 0.1}, "neither a mask nor dropout"),
        ({"softcap": 30.0}, "softcap"),
        ({"s_aux": torch.ones(4)}, "s_aux"),
        ({"is_causal": False}, "causal"),
    ],
)
def test_what_would_change_the_result_is_refused(given, said):
    *leaves, positions = packed()
    arguments = {"attention_mask": None, "position_ids": positions, **given}
    with pytest.raises(ValueError, match=said):
        attention.compute_packed_attention(None, *leaves, **arguments)


def test_a_batch_of_rows_is_refused():
    *leaves, positions = packed()
    with pytest.raises(ValueError, match="one row"):
        attention.compute_packed_attention(
            None, *(x.expand(2, -1, -1, -1) for x in leaves), None, position_ids=positions
        )


@pytest.mark.parametrize(
    ("asked", "packed", "flash_attn", "taken"),
    [
        ("flash_attention_2", True, True, "flash_attention_2"),
        ("flash_attention_2", True, False, attention.ATTENTION_NAME),
        ("flash_attention_2", False, False, "sdpa"),
        ("eager", False, False, "eager"),
        ("kernels-community/flash-attn3", True, False, "kernels-community/flash-attn3"),
    ],
)
def test_the_attention_that_is_taken(asked, packed, flash_attn, taken):
    assert attention.choose_attention(asked, packed=packed, flash_attn=flash_attn) == taken


def test_the_name_is_none_that_transformers_takes_for_a_package():
    assert "flash" not in attention.ATTENTION_NAME
