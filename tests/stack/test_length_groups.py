"""Micro-batches of similar length: each sequence once, and less padding."""

import random

import pytest


@pytest.fixture
def buffer(importable_here):
    import torch
    from masa_openrlhf.stack import experience as maker
    from masa_openrlhf.stack.length_groups import LengthGroupedBuffer

    rng = random.Random(0)
    made = LengthGroupedBuffer(4)
    for number in range(24):
        length = rng.choice((10, 60)) + number
        mask = torch.ones(length - 1, dtype=torch.long)
        tag = maker.SampleTag(str(number), "solution", True)
        made.append(
            maker._make_experience(
                torch.full((length,), number),
                mask,
                torch.zeros(length - 1),
                reward=float(number),
                truncated=False,
                tag=tag,
            )
        )
    return made


def pad_all(buffer):
    """What the loader makes: the micro-batches in the order of the items."""
    from torch.utils.data import DataLoader

    return list(
        DataLoader(buffer, batch_size=buffer.sample_batch_size, collate_fn=buffer.collate_fn)
    )


def test_each_sequence_is_in_one_micro_batch_of_its_length(buffer):
    plain = pad_all(buffer)
    buffer.group_by_length(4)
    grouped = pad_all(buffer)
    assert [len(batch.sequences) for batch in grouped] == [4] * 6
    assert sorted(int(row.max()) for b in grouped for row in b.sequences) == list(range(24))
    assert sum(b.sequences.numel() for b in grouped) < 0.8 * sum(b.sequences.numel() for b in plain)


def test_ungrouped_it_is_openrlhfs(buffer):
    plain = pad_all(buffer)
    buffer.group_by_length(4)
    buffer.ungroup(4)
    again = pad_all(buffer)
    assert [b.sequences.tolist() for b in again] == [b.sequences.tolist() for b in plain]


def test_a_rest_is_refused(buffer):
    with pytest.raises(ValueError, match="24 sequences do not fill micro-batches of 5"):
        buffer.group_by_length(5)
