from __future__ import annotations

import gzip
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from unicodedata import combining, east_asian_width

import pytest
from masa_rewards import AnswerVerifier, NotionRules
from masa_rewards.notions.stop_words import ENGLISH_STOP_WORDS
from masa_rewards.score import Report, ScoreSettings, cli, score_lines
from masa_rewards.score.progress import LineProgressBar
from masa_rewards.score.text import render_report

POSIX = pytest.mark.skipif(os.name != "posix", reason="signals and pipes of POSIX")
COMMAND = [sys.executable, "-m", "masa_rewards", "score"]
ENTRY = {
    "problem": "Invert it.",
    "rollouts": [
        {"text": "a matrix", "length": 100, "correct": True},
        {"text": "a guess", "length": 300, "correct": False},
    ],
    "predictions": [
        '{"math_notion": ["Matrices", "the guess"], "pass_rate": 4, "solution_length": 300}',
        "no idea",
    ],
}
LINES = [json.dumps({**ENTRY, "problem": f"Invert {number}."}) for number in range(3)]
GOOD = "".join(f"{line}\n" for line in LINES)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "runs.jsonl"
    path.write_text(GOOD, encoding="utf-8")
    return path


def run_score(*arguments, code=0, **options):
    ended = subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=120, **options
    )
    assert ended.returncode == code, ended.stdout + ended.stderr
    return ended


def test_the_whole_text(file):
    # A prediction text of 82 characters and one of 7, three times: 267; solutions of 15 characters
    # took 400 tokens, so these 267 * 400 / 15 = 7120. 1200 / (1200 + 7120) = 0.144.
    # pass rate 0.5 is exact; 300 > 100; "matrix" is in the right one, "the guess" in the wrong one
    assert (
        run_score(file).stdout
        == """\
The model knows its pass rate as well as a constant would: off by 0 points on
average, against 0 for always saying 50%; on average it judges itself right. 0%
of the tokens went into groups that teach nothing (0% all right, 0% all wrong).
Does a gate pay here? NO. Groups without variance took 0% of the tokens: even a
perfect gate would spare no more. This rests on 3 groups only: a hint, no more.
  mode = "masa"  # the rewards, without a gate

3 problems, 6 rollouts (3 correct), 6 predictions

Groups of two rollouts or more: 3, of 1,200 tokens
  all right          0 groups     0.0% of the tokens
  all wrong          0 groups     0.0% of the tokens
  a perfect gate, free of cost, would spare 0.0%
  (ratio 1.00 of tokens per group with variance)
  6 predictions for 3 of the groups: about 7,120 tokens, 593.3% of what the
    rollouts took

  rule (std, mean)   skips   precision          recall             ratio
  paper's             0.0%   -                  -                   6.93
  <0.1 ±0.05          0.0%   -                  -                   6.93
  <0.1 ±0.1           0.0%   -                  -                   6.93
  <0.2 ±0.1           0.0%   -                  -                   6.93
  <0.2 ±0.2           0.0%   -                  -                   6.93

Rewards: mean over 6 predictions, 95 % interval by 3 problems
  total       0.250  [0.250, 0.250]
  length      0.000  [0.000, 0.000]
  difficulty  0.500  [0.500, 0.500]
  notion      0.250  [0.250, 0.250]

Pass rate: 3 predictions, mean predicted 0.500, true 0.500
                           predictions    always 0.500
  mean absolute error            0.000           0.000
  Brier score                    0.250           0.250
  difficulty reward              1.000           1.000
  correlation                        -               -
  calibration error              0.000               -

  predicted   true   predictions
      0.500  0.500             3  |##########          |

Length: 3 predictions of problems with a correct rollout
  below         0.0%  (0)
  within        0.0%  (0)
  above       100.0%  (3)
  predicted / true median: 3.00 (half of them from 3.00 to 3.00)
  correlation -

Unreadable components, by reason
  pass_rate          3  no_json 3
  length             3  no_json 3
  notions            3  no_json 3

Verdicts: given 6

Notions: 2 different ones, counted by rollout
  left out: 0 that the problem holds, 0 that the rules do not admit
  best                             predicted rewarded/problems    right    wrong
  Matrices                                 3             3 / 3   100.0%     0.0%
  worst                            predicted rewarded/problems    right    wrong
  the guess                                3             0 / 3     0.0%   100.0%
"""
    )


def test_json_is_the_model(file):
    printed = run_score(file, "--json").stdout
    assert Report.model_validate_json(printed) == score_lines(LINES)
    assert json.loads(printed)["schema_version"] == 2


@pytest.mark.parametrize("pack", [False, True])
def test_a_file_by_its_suffix_and_standard_input_come_to_the_same(file, tmp_path, pack):
    wanted = run_score(file, "--json").stdout
    if pack:
        path = tmp_path / "runs.jsonl.gz"
        path.write_bytes(gzip.compress(GOOD.encode()))
        assert run_score(path, "--json").stdout == wanted
    else:
        assert run_score("-", "--json", input=GOOD).stdout == wanted


def test_bad_lines_are_told_on_stderr_and_do_not_stop_it(file):
    file.write_text(f"{LINES[0]}\n{{\n\n{LINES[1]}\n[]\n", encoding="utf-8")
    ended = run_score(file)
    first, second = ended.stderr.splitlines()
    assert first.startswith("line 2: not JSON")
    assert second.startswith("line 5: one object a line is wanted")
    assert "\n\n2 problems" in ended.stdout
    assert "bad lines, not among them: 2" in ended.stdout


def make_folder(tmp_path):
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


def test_exit_codes(file, tmp_path):
    file.write_text("{\n", encoding="utf-8")
    assert "0 problems" in run_score(file, code=1).stdout
    file.write_text("", encoding="utf-8")
    run_score(file, code=1)
    ended = run_score(tmp_path / "none.jsonl", code=2)
    assert "cannot read" in ended.stderr
    assert "No such file" in ended.stderr
    assert "holds no file that ends in .jsonl" in run_score(make_folder(tmp_path), code=2).stderr
    run_score(code=2)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--scale", "0"], "scale: .*greater than or equal to 1, got 0"),
        (["--min-length", "9000"], "min_length 9000 > max_length 8192"),
        (["--base", "2"], "base: .*less than 1"),
        (["--notion-min-length", "0"], "min_length"),
        (["--stop-words", "nowhere.txt"], "No such file.*nowhere.txt"),
        (["--workers", "0"], "workers must be at least 1: got 0"),
        (["--timeout", "-1"], "timeout must be more than 0"),
        (["--colour"], "unrecognized arguments: --colour"),
    ],
)
def test_settings_that_make_no_sense_are_refused(file, flags, message, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["score", str(file), *flags])
    assert ended.value.code == 2
    assert re.search(message, capsys.readouterr().err)


def test_settings_reach_the_figures(file, tmp_path):
    words = tmp_path / "stop.txt"
    words.write_text("the\nguess  of", encoding="utf-8")
    flags = ["--scale", "5", "--max-length", "200", "--notion-counting", "rate", "--base", "0.25"]
    report = Report.model_validate_json(
        run_score(file, "--json", *flags, "--notion-min-length", "7", "--stop-words", words).stdout
    )
    rules = NotionRules(counting="rate", min_length=7, stop_words=frozenset(["the", "guess", "of"]))
    settings = ScoreSettings(prompt={"scale": 5, "max_length": 200}, base=0.25, notion_rules=rules)
    assert report == score_lines(LINES, settings=settings)
    assert report.pass_rate.predicted == 0.8
    assert report.unreadable["length"] == {"no_json": 3, "out_of_range": 3}
    assert (
        report.notions.not_admitted == 6
    )  # "matrix" is one letter short, "the guess" says nothing
    assert report.settings.stop_words == 3


def test_a_stop_list_comes_with_it(file):
    flags = ["--json", "--stop-words", "english"]
    assert Report.model_validate_json(run_score(file, *flags).stdout).settings.stop_words == len(
        ENGLISH_STOP_WORDS
    )


def test_strict_stops_at_the_first_bad_line(file):
    file.write_text(f"{LINES[0]}\n{{\n{LINES[1]}\n[]\n", encoding="utf-8")
    ended = run_score(file, "--strict", code=1)
    assert ended.stdout == ""
    assert ended.stderr.splitlines()[0].startswith("line 2: not JSON")
    assert len(ended.stderr.splitlines()) == 1


def test_a_damaged_archive_gives_what_was_read_so_far(tmp_path):
    path = tmp_path / "runs.jsonl.gz"
    path.write_bytes(gzip.compress("".join(f"{line}\n" for line in LINES * 2000).encode())[:-20])
    ended = run_score(path, code=1)
    assert "damaged" in ended.stderr
    assert "NOT READ TO THE END: damaged" in ended.stdout
    assert "\n0 problems" not in ended.stdout


@POSIX
def test_interrupted_it_gives_what_was_read_so_far():
    process = subprocess.Popen(
        [*COMMAND, "-", "--json"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdin.write(f"{GOOD}{{\n{GOOD}".encode())
    process.stdin.flush()
    assert process.stderr.readline().startswith(b"line 4: not JSON")
    time.sleep(0.2)  # it reads on, and then waits for more
    process.send_signal(signal.SIGINT)
    printed, told = process.communicate(timeout=60)
    assert process.returncode == 130
    report = Report.model_validate_json(printed)
    assert report.lines.stopped == "interrupted"
    assert 3 <= report.problems <= 6
    assert told.decode() == "stopped: interrupted\n"


@POSIX
def test_a_reader_that_goes_is_no_error(file):
    reading, writing = os.pipe()
    os.close(reading)
    ended = subprocess.run(
        [*COMMAND, str(file)], stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60
    )
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_help_answers_without_what_is_slow():
    check = (
        "import sys; from masa_rewards.score import cli\n"
        "try: cli.main(['score', '--help'])\n"
        "except SystemExit: pass\n"
        "slow = {'sympy', 'math_verify', 'simplemma', 'asyncio', 'multiprocessing'}\n"
        "sys.exit(f'loaded {slow & set(sys.modules)}' if slow & set(sys.modules) else 0)"
    )
    ended = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert "--stop-words" in ended.stdout
    assert max(map(len, ended.stdout.splitlines())) <= 80


# The peak of this program alone: what `getrusage` says may be that of the process that started it.
WATCHED = """
import runpy, sys
sys.argv = ["score", "score", sys.argv[1], "--json"]
try:
    runpy.run_module("masa_rewards", run_name="__main__")
except SystemExit:
    with open("/proc/self/status") as status:
        print(*(line.split()[1] for line in status if line.startswith("VmHWM:")), file=sys.stderr)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_memory_does_not_grow_with_the_texts(tmp_path):
    def peak_mb(lines):
        path = tmp_path / f"{lines}.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for number in range(lines):
                text = f"rollout {number} " * 12_000  # some 150 kB
                rollout = {"text": text, "length": 9, "correct": True}
                predictions = [{"pass_rate": 1.0}, "thought " * 2000]
                entry = {"problem": f"{number}?", "rollouts": [rollout], "predictions": predictions}
                file.write(json.dumps(entry) + "\n")
        ended = subprocess.run(
            [sys.executable, "-c", WATCHED, str(path)], capture_output=True, text=True
        )
        assert json.loads(ended.stdout)["problems"] == lines
        return int(ended.stderr) / 1024

    # 60 MB more of text, and not a tenth of it more memory.
    assert peak_mb(410) - peak_mb(10) < 6


class FakeTerminal(io.StringIO):
    def isatty(self):
        return True


def test_the_bar_shows_itself_on_a_terminal_to_who_waits(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    terminal = FakeTerminal()
    bar = LineProgressBar(terminal, 200)
    bar.update(10, 1)
    assert terminal.getvalue() == ""  # nobody has waited yet
    now[0] = 2.0
    bar.update(50, 5)
    bar.update(60, 6)  # too soon after the last
    # a quarter in two seconds: six are left
    drawn = "[" + "#" * 8 + " " * 22 + "]  25%  5 lines, 6 s left"
    assert terminal.getvalue() == f"\r\x1b[K{drawn}"
    bar.clear()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_the_bar_keeps_away_from_what_is_no_terminal(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    stream = io.StringIO()
    bar = LineProgressBar(stream, None)
    now[0] = 60.0
    bar.update(50, 5)
    bar.clear()
    assert stream.getvalue() == ""


def test_the_text_fits_eighty_columns():
    long = {
        "problem": "p",
        "rollouts": [
            {"text": "勾股定理" * 30, "length": 10**7, "correct": True},
            {"text": "x", "length": 1, "correct": None},
        ],
        "predictions": [
            {"notions": ["勾股定理" * 30, "x" * 500, "a\u0301" * 50], "pass_rate": 0.123456}
        ]
        + ["no idea", '{"pass_rate": 99}', '{"pass_rate": null}', '{"pass_rate": "x"}'] * 1000,
    }
    report = score_lines([json.dumps(long)])
    report = report.model_copy(
        update={"lines": report.lines.model_copy(update={"stopped": "a reason " * 30})}
    )
    for line in render_report(report).splitlines():
        width = sum(
            0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in line
        )
        assert width <= 80, line


def test_a_verifier_that_cannot_start_ends_it_with_what_was_read(tmp_path, monkeypatch, capsys):
    def refuse(self, pairs):
        if pairs:
            raise RuntimeError("the verification worker did not start")
        return []

    monkeypatch.setattr(AnswerVerifier, "verify_many", refuse)
    unsaid = {**ENTRY, "answer": "4", "rollouts": [{"text": "x", "length": 1}]}
    path = tmp_path / "runs.jsonl"
    path.write_text(f"{LINES[0]}\n{json.dumps(unsaid)}\n{LINES[1]}\n", encoding="utf-8")
    assert cli.main(["score", str(path)]) == 1
    printed = capsys.readouterr()
    assert printed.err == "stopped: the verification worker did not start\n"
    assert "\n\n1 problems" in printed.out
    assert "NOT READ TO THE END: the verification worker did not start" in printed.out
