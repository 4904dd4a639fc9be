import pytest
from hypothesis import given
from hypothesis import strategies as st
from masa_openrlhf.eval.gate import decide
from masa_openrlhf.eval.meta import gate_figures


@pytest.mark.parametrize(
    ("predicted", "skip", "reason"),
    [
        ([1.0, 1.0, 1.0], True, "trivial"),
        ([0.0, 0.0], True, "unsolvable"),
        ([1.0, 1.0, 0.875], False, None),
        ([0.5, 0.5], False, None),
        ([0.0, 1.0], False, None),  # they do not agree
        ([], False, None),
        ([1.0], True, "trivial"),
    ],
)
def test_the_papers_rule(predicted, skip, reason):
    assert decide(predicted)[:2] == (skip, reason)


def test_mean_and_std_by_hand():
    found = decide([0.25, 0.75])
    assert (found.mean, found.std) == (0.5, 0.25)  # divided by 2, not by 1


@given(st.lists(st.sampled_from([i / 8 for i in range(9)]), max_size=16))
def test_it_skips_where_all_say_the_same_edge_and_nowhere_else(predicted):
    assert decide(predicted).skip == (bool(predicted) and set(predicted) in ({0.0}, {1.0}))


def test_precision_recall_and_f1_by_hand():
    """Skipped: a, b, d; to be skipped: a, c, e; e has no prediction that could be read."""
    found = gate_figures(
        [
            ([1.0, 1.0], [True, True]),  # a: rightly skipped
            ([0.0, 0.0], [True, False]),  # b: wrongly
            ([0.5, 0.5], [False, False]),  # c: missed
            ([1.0], [False, True]),  # d: wrongly
            ([], [True, True]),  # e
            ([1.0], [True]),  # f: one answer always agrees with itself
        ]
    )
    assert (found.questions, found.skipped, found.to_skip, found.both) == (4, 3, 2, 1)
    assert (found.precision, found.recall) == (1 / 3, 1 / 2)
    assert found.f1 == 2 / 5


def test_a_gate_that_never_had_to_decide_has_no_figures():
    found = gate_figures([([0.5], [True, False])])
    assert (found.precision, found.recall, found.f1) == (None, None, None)
