"""The gold answer of a row."""

import pytest
from masa_openrlhf.data.golds import UnusableRow, read_gold


@pytest.mark.parametrize(
    ("value", "place", "gold"),
    [
        ("42", "whole", "42"),
        (" 42\n", "whole", "42"),
        (42, "whole", "42"),
        (0, "whole", "0"),
        (42.0, "whole", "42"),
        (0.5, "whole", "0.5"),
        (0.10000000149011612, "whole", "0.1"),  # 0.1 in 32 bits
        (0.1, "whole", "0.1"),
        (1 / 3, "whole", "0.3333333333333333"),
        (1e-07, "whole", "0.0000001"),
        (1e22, "whole", "10000000000000000000000"),
        (123456789012345678901234567890, "whole", "123456789012345678901234567890"),
        (["42", "forty-two"], "whole", "42"),
        ([1, 2.5], "whole", "1, 2.5"),
        ([7], "whole", "7"),
        ('["42"]', "whole", "42"),
        ("[1, 2]", "whole", "[1, 2]"),  # an interval
        ("a\n#### 7\nb\n#### 1,000 ", "marked", "1,000"),
        ("so \\boxed{5}", "marked", "5"),
        ("5", "marked", "5"),
        ("first \\boxed{4}, then \\boxed{\\frac{1}{2}}", "boxed", "\\frac{1}{2}"),
    ],
)
def test_what_is_read(value, place, gold):
    assert read_gold(value, place) == gold


@pytest.mark.parametrize(
    ("value", "place", "reason"),
    [
        (None, "whole", "no answer"),
        ("  ", "whole", "no answer"),
        ([], "whole", "no answer"),
        (True, "whole", "an answer that is true or false"),
        ({"a": 1}, "whole", "an answer that is an object"),
        (float("nan"), "whole", "an answer that is no finite number"),
        ('["1", "2"]', "whole", "a JSON list of several answers"),
        ("x\ud800", "whole", "an answer that is no Unicode"),
        ("so\n####", "marked", "nothing behind ####"),
        ("so it is 5", "boxed", "no boxed answer in the solution"),
    ],
)
def test_what_is_left_out_has_a_reason(value, place, reason):
    with pytest.raises(UnusableRow, match=reason):
        read_gold(value, place)
