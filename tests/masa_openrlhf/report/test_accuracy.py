from masa_openrlhf.report.groups import group_runs
from masa_openrlhf.report.runs import read_run
from masa_openrlhf.report.sections import accuracy

from tests.masa_openrlhf.report import factories


def groups(tmp_path, **runs):
    for name, config in runs.items():
        factories.make_run(tmp_path / name, **config)
    return group_runs([read_run(tmp_path / name) for name in runs])


def drawn(section):
    return {line.name: line.curves for line in section.pictures[0].draw.keywords["lines"]}


def test_a_run_evaluated_once_is_named_and_stands_outside_the_mean(tmp_path):
    found = groups(tmp_path, a={}, b={"seed": 1, "evals": (0,)})
    section = accuracy.accuracy_section(found)
    assert [len(curve) for curve in drawn(section)["masa"]] == [3, 0]
    assert "without a curve: b." in section.missing[0]
    assert accuracy.compute_accuracy_change(found[0]).runs == 1


def test_tokens_until_accuracies_and_relative_to_the_baseline(tmp_path):
    """The baseline makes 80 tokens a step, masa 100; both gain 0.04 a step from 0.2.

    Targets lie at quarters of 0.2 to 0.6: 0.3, 0.4, 0.5, so after 2.5, 5 and 7.5 steps.
    """
    section = accuracy.accuracy_section(groups(tmp_path, a={}, b={"mode": "grpo"}))
    until, relative = section.tables
    assert until.heads == ["tokens until", "30%", "40%", "50%"]
    assert until.rows == [["grpo", "200", "400", "600"], ["masa", "250", "500", "750"]]
    assert relative.rows == [["masa", "1 pair", "1.25", "1.25", "1.25"]]


def test_what_one_did_not_reach_is_said(tmp_path):
    low = {"mode": "grpo", "gain": 0.0}
    section = accuracy.accuracy_section(groups(tmp_path, a={}, b={**low}))
    until, relative = section.tables
    assert until.rows[0] == ["grpo", "not reached", "not reached", "not reached"]
    assert relative.rows[0][2] == "only masa got there"


def test_where_nothing_was_gained_there_are_no_targets(tmp_path):
    flat = {"gain": 0.001}
    assert not accuracy.accuracy_section(
        groups(tmp_path, a=flat, b={"mode": "grpo", **flat})
    ).tables
