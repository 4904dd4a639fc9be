import json

import pytest
from masa_openrlhf.report.runs import ReportError, held_out_curve, read_run, training_curve

from tests.masa_openrlhf.report import factories


def test_a_whole_run(tmp_path):
    factories.make_run(tmp_path / "a", seed=3)
    run = read_run(tmp_path / "a")
    assert (run.name, run.mode, run.seed, run.steps, run.planned) == ("a", "masa", 3, 10, 10)
    assert run.state == "finished"
    assert run.unreadable == {}
    curve = held_out_curve(run)
    assert curve.steps == (0.0, 5.0, 10.0)
    assert curve.tokens == (0.0, 500.0, 1000.0)  # 80 of solutions and 20 of predictions a step
    assert curve.seconds == (0.0, 10.0, 20.0)
    assert curve.accuracy == pytest.approx((0.2, 0.4, 0.6))
    assert curve.low == ()
    assert training_curve(run).accuracy[:2] == pytest.approx((0.31, 0.32))


def test_intervals_of_evaluations_are_taken_where_all_have_them(tmp_path):
    folder = factories.make_run(tmp_path / "a", evals=())
    ends = {"pass_at_1_low": 0.1, "pass_at_1_high": 0.3}
    folder.write_eval(0, {"pass_at_1": 0.2, **ends})
    assert held_out_curve(read_run(folder.path)).low == (0.1,)
    folder.write_eval(10, {"pass_at_1": 0.2})
    assert held_out_curve(read_run(folder.path)).low == ()


def test_what_is_no_run_is_named_with_the_way_out(tmp_path):
    with pytest.raises(ReportError, match=r"nowhere is not a run's folder: there is nothing"):
        read_run(tmp_path / "nowhere")
    factories.make_run(tmp_path / "runs" / "a")
    with pytest.raises(ReportError, match=r"no config.json. Name one of these: .*runs/a"):
        read_run(tmp_path / "runs")
    (tmp_path / "file").write_text("x")
    with pytest.raises(ReportError, match="it is a file"):
        read_run(tmp_path / "file")


def test_a_configuration_that_cannot_be_read(tmp_path):
    for text in ("{", "[]", "\xff"):
        (tmp_path / "config.json").write_text(text, encoding="latin-1")
        with pytest.raises(ReportError, match=r"config\.json"):
            read_run(tmp_path)


def test_lines_that_are_broken_are_counted(tmp_path):
    folder = factories.make_run(tmp_path / "a")
    for name, junk in {
        "metrics.jsonl": b'{"step": 11, "tok\n\xe2\x82\n[1]\n{"no": "step"}\n{"step": 12, "sol',
        "eval.jsonl": b'{"step": 12, "pass_at_1"',
    }.items():
        with open(folder.path / name, "ab") as file:
            file.write(junk)
    run = read_run(folder.path)
    assert run.steps == 10
    assert run.unreadable == {"metrics.jsonl": 5, "eval.jsonl": 1}


def test_a_run_that_has_only_begun(tmp_path):
    folder = factories.make_run(tmp_path / "a", evals=())
    for name in ("metrics.jsonl", "events.jsonl"):
        (folder.path / name).unlink()
    run = read_run(folder.path)
    assert (run.steps, run.planned, run.state) == (0, None, "has not taken a step")
    assert len(held_out_curve(run)) == len(training_curve(run)) == 0


@pytest.mark.parametrize(
    ("events", "state"),
    [
        (["training"], "still running, or killed"),
        (["training", "trained:asked to stop"], "stopped early, on request"),
        (["training", "trained:asked to stop", "training"], "still running, or killed"),
        (["training", "failed"], "failed"),
        (["training", "trained:finished", "finished"], "finished"),
    ],
)
def test_how_a_run_ended(tmp_path, events, state):
    folder = factories.make_run(tmp_path / "a")
    rows = [dict(zip(("event", "reason"), one.split(":"), strict=False)) for one in events]
    factories.write_lines(folder.path / "events.jsonl", *[{**row, "steps": 10} for row in rows])
    assert read_run(folder.path).state == state


def test_a_step_that_was_written_twice_counts_once(tmp_path):
    folder = factories.make_run(tmp_path / "a", steps=3, evals=(0, 3))
    folder.write_metrics(3, {**factories.make_row(3), "time/step": 4.0})
    folder.write_eval(3, {"pass_at_1": 0.9})
    run = read_run(folder.path)
    assert [row["step"] for row in run.metrics] == [1, 2, 3]
    assert held_out_curve(run).seconds == (0.0, 8.0)
    assert held_out_curve(run).accuracy == (0.2, 0.9)


def test_tokens_of_a_run_without_a_ledger_are_added_up(tmp_path):
    folder = factories.make_run(tmp_path / "a", evals=(0, 10))
    rows = map(json.loads, (folder.path / "metrics.jsonl").read_text().splitlines())
    kept = [{k: v for k, v in row.items() if not k.startswith("ledger/")} for row in rows]
    factories.write_lines(folder.path / "metrics.jsonl", *kept)
    assert held_out_curve(read_run(folder.path)).tokens == (0.0, 1000.0)
