"""The nineteen benchmarks on the real vLLM: killed in the middle, gone on with by two copies."""

import io
import json
import shutil

import psutil
import pytest
from masa_openrlhf.eval import command
from masa_openrlhf.eval.benchmarks.registry import BENCHMARKS_BY_NAME, PAPER_BENCHMARKS
from masa_openrlhf.eval.folder import EvalFolder
from masa_openrlhf.eval.results.summary import Results
from rich.console import Console

from tests.masa_openrlhf.eval.factories import REAL_DATA, ROWS, write_benchmark
from tests.stack import command_runs
from tests.stack.outside_view import list_listening_sockets

REALLY = {  # benchmark -> its file in the folder of real data
    "aime25": "aime2025.parquet",
    "prontoqa": "ProntoQA.dev.json",
    "logicaldeduction": "LogicalDeduction.dev.json",
    "mbpp": "mbpp_test.jsonl",
}
QUESTIONS = 8


def make_data(data):
    """Write a file of each of the nineteen, the real one where it is there."""
    data.mkdir()
    for name in ROWS:
        if name in REALLY and REAL_DATA.exists():
            shutil.copy(REAL_DATA / REALLY[name], data)
        else:
            write_benchmark(data, name)


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    where = tmp_path_factory.mktemp("eval")
    data, evals = where / "data", where / "evals"
    make_data(data)
    told = {}
    arguments = ("tiny", "--benchmarks=all,tiny", "--data", str(data), "--evals", str(evals))
    arguments += ("--samples=4", "--max-tokens=96", f"--max-questions={QUESTIONS}", "--meta")
    arguments += ("--prediction.max-tokens=32", "--pass-at", "1", "2", "4")

    with command_runs.start_command(
        "eval", *arguments, "--engine.questions-in-flight=2", log=where / "first.txt"
    ) as run:

        def lines():
            return [line for p in evals.glob("*/records/*") for line in p.read_text().splitlines()]

        run.wait_until(lambda: evals.exists() and len(lines()) >= 5)
        processes = psutil.Process(run.process.pid).children(recursive=True)
        told["processes"] = " ".join(part for p in processes for part in p.cmdline())
        told["listening"] = list_listening_sockets(processes)
        run.process.kill()
        run.process.wait()
        told["left after the kill"] = run.left_behind()
    (path,) = evals.iterdir()
    folder = EvalFolder(path)
    before = {}
    for file in path.glob("records/*"):
        before[file.stem] = [r.id for r in folder.records(file.stem).read()]
        with open(file, "ab") as torn:
            torn.write('{"id": "torn", "prompt": "ü'.encode()[:-1])
    told["before"] = before

    with command_runs.start_command(
        "eval", "--resume", str(path), "--data-parallel=2", log=where / "second.txt"
    ) as run:
        told["status"] = run.wait()
        told["said"] = run.output
        told["left at the end"] = run.left_behind()

    out = io.StringIO()
    argv = ["--resume", str(path), "--compare", str(path)]
    told["compared"] = command.run_evaluation(argv, Console(file=out, width=120))
    told["comparison"] = out.getvalue()
    return folder, told


def test_a_killed_evaluation_goes_on_and_asks_nothing_twice(story):
    folder, told = story
    assert told["status"] == 0, told["said"]
    assert sum(map(len, told["before"].values())) >= 5
    for name in BENCHMARKS_BY_NAME.keys() - {"own"}:
        ids = [record.id for record in folder.records(name).read()]
        assert len(ids) == len(set(ids)) > 0
        assert ids[: len(told["before"].get(name, []))] == told["before"].get(name, [])
    assert "every question has its answers already" not in told["said"]


def test_no_process_is_left(story):
    _, told = story
    assert told["left after the kill"] == []
    assert told["left at the end"] == []


def test_nothing_of_it_listens_beyond_the_machine(story):
    folder, told = story
    assert "masa_openrlhf.eval.engine.worker" in told["processes"]
    assert [one for one in told["listening"] if one[1] not in ("127.0.0.1", "::1")] == []
    assert folder.path.stat().st_mode & 0o777 == 0o700


def test_all_nineteen_have_their_figures(story):
    folder, _ = story
    results = Results.model_validate_json(folder.results.read_text())
    assert results.complete
    assert results.unlimited == ()
    found = {one.benchmark: one for one in results.benchmarks}
    assert list(found) == [entry.name for entry in (*PAPER_BENCHMARKS, BENCHMARKS_BY_NAME["tiny"])]
    for name, one in found.items():
        expected = QUESTIONS if name == "tiny" or (name in REALLY and REAL_DATA.exists()) else None
        assert one.questions == (expected or len(ROWS[name])), name
        assert one.left_out == {}
        assert one.samples == 4 * one.questions
        assert set(one.pass_at) == {"1", "2", "4"}
        assert one.pass_at["1"].value <= one.pass_at["2"].value <= one.pass_at["4"].value
        assert one.spread.runs == 4
        assert one.prediction_tokens > 0
    assert results.means.keys() == {"maths", "logic", "science", "code", "all"}


def test_the_tiny_model_solves_some_of_its_problems_and_predicts(story):
    folder, _ = story
    results = Results.model_validate_json(folder.results.read_text())
    tiny = next(one for one in results.benchmarks if one.benchmark == "tiny")
    assert 0 < tiny.pass_at["1"].value < 1
    assert 10 < tiny.mean_tokens < 96
    for record in folder.records("tiny").read():  # it always boxes, unless it is cut off before
        for sample in record.samples:
            assert sample.status != "unparsable" or sample.truncated
    meta = results.meta["tiny"]
    assert meta.predictions == QUESTIONS * 8
    assert sum(meta.unreadable["pass_rate"].values()) < meta.predictions / 4
    assert 0 < meta.pass_rate.error.brier < 1
    assert 0 < meta.brier.low < meta.brier.value < meta.brier.high
    assert meta.length_error > 0
    assert meta.gate.questions == QUESTIONS


def test_what_the_tiny_model_cannot_say_is_never_right(story):
    folder, _ = story
    for entry in PAPER_BENCHMARKS:
        for record in folder.records(entry.name).read():
            for sample in record.samples:
                assert sample.status in ("correct", "incorrect", "unparsable")
                if sample.status == "correct":
                    assert sample.answer


def test_records_are_to_be_read(story):
    folder, _ = story
    record = next(folder.records("prontoqa").read())
    assert record.prompt.startswith(record.statement.split("\n")[0])
    assert "A) " in record.prompt
    assert record.gold in ("A", "B")
    assert sorted(record.order) == [0, 1]
    assert record.samples[0].tokens > 0


def test_compared_with_itself_it_is_no_better_and_no_model_is_started(story):
    folder, told = story
    assert told["compared"] == 0, told["comparison"]
    assert "starting vLLM" not in told["comparison"]
    compared = json.loads(folder.results.read_text())["comparison"]["benchmarks"]
    assert len(compared) == 20
    for one in compared:
        assert (one["gain"][0], one["better"], one["worse"], one["unpaired"]) == (0, 0, 0, 0)
