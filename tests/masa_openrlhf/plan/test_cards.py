"""Cards by name, by memory as sold, and as the driver names them."""

import pytest
from masa_openrlhf.plan.cards import (
    CARDS,
    GIB,
    CardError,
    find_card,
    find_card_by_memory,
    match_card,
)


@pytest.mark.parametrize(
    ("gib", "name"), [(24, "rtx-4090"), (40, "a100-40gb"), (80, "h100"), (141, "h200")]
)
def test_memory_as_it_is_sold_is_a_card(gib, name):
    assert find_card_by_memory(gib) is CARDS[name]
    assert CARDS[name].memory < gib * GIB


def test_any_other_number_is_as_fast_as_the_next_smaller():
    found = find_card_by_memory(96)
    assert (found.flops, found.bandwidth) == (CARDS["h100"].flops, CARDS["h100"].bandwidth)
    assert 94 * GIB < found.memory < 96 * GIB
    assert find_card_by_memory(8).bandwidth == CARDS["rtx-4090"].bandwidth


def test_what_is_no_card_is_refused():
    with pytest.raises(CardError, match="no card 'h1000': use one of rtx-4090, a100-40gb"):
        find_card("h1000")
    for memory in (0, -1, float("nan")):
        with pytest.raises(CardError, match="above 0 GiB"):
            find_card_by_memory(memory)


@pytest.mark.parametrize(
    ("driver", "gib", "name"),
    [
        ("NVIDIA H100 80GB HBM3", 79.1, "h100"),
        ("NVIDIA H200", 139.8, "h200"),
        ("NVIDIA A100-SXM4-40GB", 39.4, "a100-40gb"),
        ("NVIDIA A100-SXM4-80GB", 79.3, "a100-80gb"),
        ("NVIDIA GeForce RTX 4090", 23.5, "rtx-4090"),
        ("NVIDIA L40S", 44.4, "l40s"),
    ],
)
def test_what_the_driver_says_is_matched(driver, gib, name):
    found = match_card(driver, gib * GIB)
    assert (found.name, found.memory) == (driver, gib * GIB)
    assert found.flops == CARDS[name].flops


def test_a_card_that_nobody_knows_is_planned_by_its_memory():
    found = match_card("NVIDIA Z9", 50 * GIB)
    assert (found.name, found.memory, found.flops) == ("NVIDIA Z9", 50 * GIB, CARDS["l40s"].flops)
