from masa_openrlhf.eval.results.meta_awareness import compute_gate_metrics


def test_precision_recall_and_f1_by_hand():
    """Skipped: a, b, d; to be skipped: a, c, e; e has no prediction that could be read."""
    found = compute_gate_metrics(
        [
            ([1.0, 1.0], [True, True]),  # a: rightly skipped
            ([0.0, 0.0], [True, False]),  # b: wrongly
            ([0.5, 0.5], [False, False]),  # c: missed
            ([1.0, None], [False, True]),  # d: wrongly
            ([None, None], [True, True]),  # e
            ([1.0], [True]),  # f: one answer always agrees with itself
        ]
    )
    assert (found.questions, found.skipped, found.to_skip, found.both) == (4, 3, 2, 1)
    assert (found.precision, found.recall) == (1 / 3, 1 / 2)
    assert found.f1 == 2 / 5


def test_a_gate_that_never_had_to_decide_has_no_figures():
    found = compute_gate_metrics([([0.5], [True, False])])
    assert (found.precision, found.recall, found.f1) == (None, None, None)


def test_as_in_training_too_few_predictions_that_can_be_read_skip_nothing():
    found = compute_gate_metrics([([1.0, None, None], [True, True])])
    assert (found.questions, found.skipped, found.to_skip) == (1, 0, 1)


def test_how_far_predictions_may_spread_is_a_setting():
    assert compute_gate_metrics([([1.0, 1.0], [True, True])], max_std=1e-9).skipped == 1
