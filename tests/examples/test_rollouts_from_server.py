"""The recipe that makes a file to be scored, with a chat endpoint on this machine."""

import json
import subprocess
import sys

from tests.integrations.score_files import score_files
from tests.integrations.scripted_answers import PROBLEMS, REWARDS, choose_answer
from tests.integrations.scripted_server import serve_script
from tests.integrations.stack_environments import ROOT

SCRIPT = ROOT / "examples" / "rollouts_from_server.py"


def run_script(folder, address, *arguments):
    problems, out = folder / "problems.jsonl", folder / "rollouts.jsonl"
    problems.write_text("".join(json.dumps(problem) + "\n" for problem in PROBLEMS))
    command = [sys.executable, str(SCRIPT), str(problems), str(out), "--base-url", address]
    sizes = ["--model", "m", "--solutions", "2", "--predictions", "2"]
    return subprocess.run([*command, *sizes, *arguments], capture_output=True, text=True)


def test_what_a_server_answers_is_scored(tmp_path):
    with serve_script(choose_answer) as address:
        ended = run_script(tmp_path, address)
        assert ended.returncode == 0, ended.stderr
        assert "2 of 2 problems" in ended.stderr
        assert "0 of 0" not in run_script(tmp_path, address).stderr  # all is there already
    out = tmp_path / "rollouts.jsonl"
    assert len(out.read_text().splitlines()) == 2
    report = score_files(out)
    assert (report.problems, report.rollouts, report.correct, report.predictions) == (2, 4, 3, 4)
    wanted = [value for (_, kind), values in REWARDS.items() if kind == "meta" for value in values]
    assert abs(report.rewards.total.mean - sum(wanted) / 4) < 1e-6
    assert (report.gate.unit, report.gate.amount, report.gate.all_right.amount) == (
        "tokens",
        650,
        400,
    )


def test_groups_alone_need_no_predictions(tmp_path):
    with serve_script(choose_answer) as address:
        ended = run_script(tmp_path, address, "--predictions", "0")
    assert ended.returncode == 0, ended.stderr
    assert score_files(tmp_path / "rollouts.jsonl").gate.verdict.answer == "maybe"


def test_a_server_that_is_not_there_is_said_in_a_line(tmp_path):
    ended = run_script(tmp_path, "http://127.0.0.1:9/v1")
    assert ended.returncode == 1
    assert ended.stderr.startswith("http://127.0.0.1:9/v1 did not answer:")
    assert ended.stderr.count("\n") == 1
