import pytest
from masa_control import ConfusionCounts
from masa_openrlhf.report.groups import group_runs
from masa_openrlhf.report.plots import draw_plot
from masa_openrlhf.report.runs import read_run
from masa_openrlhf.report.sections import decisions

from tests.masa_openrlhf.report import factories

AUDITED = ConfusionCounts.of(1, 0, right=1, weight=2.0)


def run(path, steps=4):
    """Each step the gate flags two problems, audits one of them, rightly, and misses one."""
    folder = factories.make_run(path, steps=0, evals=(), mode="masa-efficient")
    tally = ConfusionCounts()
    for step in range(1, steps + 1):
        tally += AUDITED + ConfusionCounts.of(1, 0) + ConfusionCounts.of(0, 1)
        folder.write_metrics(step, {**factories.make_row(step), "gate/skipped": step / 10})
        folder.write_confusion(step, {"gate": tally})
    return read_run(path)


def test_the_last_half_of_each_run_goes_in(tmp_path):
    found = decisions.decision_quality([run(tmp_path / "a"), run(tmp_path / "b", steps=2)], "gate")
    assert found.share == pytest.approx((0.3 + 0.4 + 0.2) / 3)
    assert (found.tally.flagged, found.tally.missed, found.tally.audits) == (6, 3, 3)
    assert found.tally.precision.value == 1.0
    assert found.tally.recall.value == pytest.approx(2 / 3)


def test_what_did_not_decide_is_said(tmp_path):
    found = decisions.decisions_section(group_runs([run(tmp_path / "a")]))
    assert [picture.key for picture in found.pictures] == ["gate-share", "gate-quality"]
    for picture in found.pictures:
        assert draw_plot(picture).svg.startswith("<svg")
    assert found.missing == ["masa-efficient: the cutoff has not decided yet, or is off."]
    assert found.tables[0].rows[0][1] == "35.0 % of problems"


def test_a_mode_without_decisions_is_said(tmp_path):
    factories.make_run(tmp_path / "a")
    found = decisions.decisions_section(group_runs([read_run(tmp_path / "a")]))
    assert found.missing == ["masa: predictions decide nothing."]
    assert not found.pictures


def test_a_run_of_0_1_0_has_the_counts_in_its_metrics(tmp_path):
    new, folder = (
        run(tmp_path / "new"),
        factories.make_run(tmp_path / "old", steps=0, mode="masa-efficient"),
    )
    for row in new.confusion:
        old = {f"ledger/gate_tally_{name}": value for name, value in row["gate"].items()}
        folder.write_metrics(
            row["step"], factories.make_row(row["step"]) | {"gate/skipped": 0.1} | old
        )
    assert decisions.decision_quality([read_run(folder.path)], "gate").tally == (
        decisions.decision_quality([new], "gate").tally
    )
