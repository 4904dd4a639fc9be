from dataclasses import replace

from masa_control import count_step_notions
from masa_rewards.notions.rules import NotionCount

from tests.masa_control.test_calibration import episode


def counted(**counts):
    phrases = {tuple(name.split("_")): NotionCount(*count) for name, count in counts.items()}
    return replace(episode([(2, 5)], (5,)), notion_counts=phrases)


def test_counts_add_up_over_problems_most_used_first():
    a = counted(sieve=(1, 0, 3, 1), vieta_formula=(2, 1, 3, 1))
    b = counted(vieta_formula=(0, 4, 0, 4), parity=(0, 0, 0, 4))
    totals = count_step_notions([a, b])
    assert list(totals.items()) == [
        ("vieta formula", (2, 5, 3, 5)),
        ("sieve", (1, 0, 3, 1)),
        ("parity", (0, 0, 0, 4)),
    ]
    assert list(count_step_notions([a, b], 1)) == ["vieta formula"]


def test_a_notion_without_a_word_is_left_out_and_no_counts_are_no_totals():
    assert (
        count_step_notions([replace(counted(), notion_counts={(): NotionCount(0, 0, 1, 1)})]) == {}
    )
    assert count_step_notions([]) == {}
