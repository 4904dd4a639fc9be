import subprocess
import sys

import pytest
from masa_openrlhf import cli
from masa_openrlhf.report.command import write_final_report
from masa_openrlhf.report.runs import ReportError

from tests.masa_openrlhf.eval.test_metrics import RECORDS, written
from tests.masa_openrlhf.eval.test_metrics import results as results  # a fixture
from tests.masa_openrlhf.report import factories


def report(capsys, *argv):
    with pytest.raises(SystemExit) as end:
        cli.main(["report", *map(str, argv)])
    captured = capsys.readouterr()
    return end.value.code, captured.out, captured.err


def test_a_report_lies_in_its_run(capsys, tmp_path):
    folder = factories.make_run(tmp_path / "a")
    status, out, _ = report(capsys, folder.path)
    page = folder.path / "report" / "report.html"
    assert (status, out) == (0, f"Report: {page}\n")
    assert page.is_file()
    assert (page.parent / "accuracy-tokens.png").is_file()


def test_of_several_it_lies_here_or_where_it_is_told(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    factories.make_run(tmp_path / "a"), factories.make_run(tmp_path / "b", seed=1)
    assert report(capsys, "a", "b")[1] == f"Report: {tmp_path / 'report' / 'report.html'}\n"
    report(capsys, "a", "b", "--out", "there/deep")
    assert (tmp_path / "there" / "deep" / "report.html").is_file()
    report(capsys, "a", tmp_path / "a")  # one run, named twice
    assert (tmp_path / "a" / "report" / "report.html").is_file()


def test_what_is_no_run_is_an_error_that_names_it(capsys, tmp_path):
    factories.make_run(tmp_path / "a")
    status, _, err = report(capsys, tmp_path / "a", tmp_path / "b")
    assert status == 2
    assert f"{tmp_path / 'b'} is not a run's folder: there is nothing of that name" in err
    assert f"Name one of these: {tmp_path / 'a'}" in err
    assert "Traceback" not in err
    status, _, err = report(capsys, tmp_path / "a", "--out", tmp_path / "a" / "config.json")
    assert status == 2
    assert "config.json" in err


def test_without_a_run_there_is_a_usage(capsys):
    status, _, err = report(capsys)
    assert status == 2
    assert "RUN" in err
    status, out, _ = report(capsys, "--help")
    assert status == 0
    assert "--eval FILE" in out


def test_results_of_an_evaluation_are_taken_in(capsys, tmp_path, results):
    found, evaluation = results
    evaluation.write_results(found.model_dump(mode="json"), "")
    folder = factories.make_run(tmp_path / "a")
    lying = written(folder.path / "evals" / "mine", RECORDS)
    lying.write_results(found.model_copy(update={"model": "in it"}).model_dump(mode="json"), "")
    assert report(capsys, folder.path, "--eval", evaluation.path)[0] == 0
    text = (folder.path / "report" / "report.html").read_text()
    assert "Evaluation of &lt;b&gt;model&lt;/b&gt;" in text
    assert "Evaluation of in it" in text
    assert "MADE" in text


def test_at_the_end_of_a_run_it_is_said_where_the_report_is(capsys, tmp_path):
    folder = factories.make_run(tmp_path / "a")
    write_final_report(folder.path)
    assert capsys.readouterr().out == f"Report: {folder.path / 'report' / 'report.html'}\n"


def test_a_report_that_fails_is_a_warning(capsys, tmp_path, monkeypatch):
    def fail(*_):
        raise ReportError("no figures today")

    monkeypatch.setattr("masa_openrlhf.report.page.write_report", fail)
    folder = factories.make_run(tmp_path / "a")
    write_final_report(folder.path)
    said = capsys.readouterr().err
    assert "warning: no report was written (ReportError: no figures today)" in said
    assert f"masa-openrlhf report {folder.path}" in said


@pytest.mark.parametrize(("ended", "reports"), [(0, 1), (130, 0), (1, 0)])
def test_training_writes_it_when_it_finished(monkeypatch, tmp_path, ended, reports):
    written = []
    monkeypatch.setattr("masa_openrlhf.run.supervision.supervise_run", lambda *a, **k: ended)
    monkeypatch.setattr("masa_openrlhf.report.command.write_final_report", written.append)
    monkeypatch.setattr("masa_openrlhf.cli._check_arguments", lambda *a, **k: None)
    monkeypatch.setattr("masa_openrlhf.run.devices.require_stack", lambda config: None)
    with pytest.raises(SystemExit) as end:
        cli.main(["train", "--runs", str(tmp_path)])
    assert end.value.code == ended
    assert len(written) == reports


def test_nothing_that_draws_is_imported_before_it_is_needed():
    code = (
        "import sys; import masa_openrlhf.cli, masa_openrlhf.run.supervision;"
        "import masa_openrlhf.report.command, masa_openrlhf.report.page;"
        "heavy = {'matplotlib', 'jinja2', 'torch'} & set(sys.modules);"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
