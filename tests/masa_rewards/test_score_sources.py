"""Files as other programs write them.

What TRL, verl and verifiers (so prime-rl) write themselves is scored in tests/integrations/. Here:
rows in the forms that their sources write (TRL 1.16 GRPOTrainer.log; verl 0.9.1
RayPPOTrainer._write_generations; OpenRLHF up to 0.9, openrlhf/cli/batch_inference.py, which later
ones do not have; prime-rl up to July 2026, orchestrator/utils.py save_rollouts), and plain ones.
"""

import gzip
import json
import sys

import pyarrow
import pyarrow.parquet
import pytest
from masa_rewards import SOLUTION_TEMPLATE, MetaPrompt
from masa_rewards.score import Report, cli

META = MetaPrompt(max_length=512)


def ask(problem):
    return [{"role": "user", "content": SOLUTION_TEMPLATE.replace("{problem}", problem)}]


def answer(text):
    return [{"role": "assistant", "content": text}]


def make_trl(step, problem, text, **rewards):
    row = {"step": step, "prompt": ask(problem), "completion": answer(text)}
    return {**row, **rewards, "advantage": 0.0}


def make_verl(step, problem, text, score, **extra):
    prompt = f"user\n{ask(problem)[0]['content']}\nassistant\n"
    return {
        "input": prompt,
        "output": text,
        "gts": "4",
        "score": score,
        "step": step,
        **extra,
    }


def write_lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def write_parquet(path, rows):
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


@pytest.fixture
def score(capsys):
    def run(*arguments, code=0):
        ended = cli.main(["score", *map(str, arguments), "--json"])
        printed = capsys.readouterr()
        assert ended == code, printed.err
        return Report.model_validate_json(printed.out) if not code else printed.err

    return run


def summarise(report):
    gate = report.gate
    return (
        report.problems,
        gate.groups,
        gate.all_right.groups,
        gate.all_wrong.groups,
        report.correct,
    )


TRL = [
    make_trl(1, "2 + 2?", "four", accuracy_reward=1.0, format_reward=0.0),
    make_trl(1, "2 + 2?", "five", accuracy_reward=0.0, format_reward=1.0),
    make_trl(1, "1 + 1?", "two", accuracy_reward=1.0, format_reward=1.0),
    make_trl(1, "1 + 1?", "2", accuracy_reward=1.0, format_reward=1.0),
    # The same problem in another step is another group.
    make_trl(2, "2 + 2?", "six", accuracy_reward=0.0, format_reward=1.0),
    make_trl(2, "2 + 2?", "ten", accuracy_reward=0.0, format_reward=1.0),
]


def test_trls_completions(tmp_path, score):
    report = score(write_parquet(tmp_path / "completions_00002.parquet", TRL))
    assert summarise(report) == (3, 3, 1, 1, 3)
    assert report.notes == (
        "read as TRL's completions; an answer is right where accuracy_reward >= 0.5",
    )
    # Four, five, two, 2, six and ten: 3 + 1 and 3 + 3 of 18 letters.
    assert (report.gate.unit, report.gate.ceiling) == ("characters", 10 / 18)


def test_what_our_gate_skipped_is_left_out_of_trls_completions(tmp_path, score):
    nan = float("nan")
    rows = [row | {"masa": "correct"} for row in TRL]
    rows += [make_trl(2, "9 + 9?", "", accuracy_reward=nan) | {"masa": "skipped"}] * 2
    report = score(write_parquet(tmp_path / "completions_00003.parquet", rows))
    assert summarise(report) == (3, 3, 1, 1, 3)


def test_a_reward_can_be_named_and_must_be_where_several_could_be_it(tmp_path, score):
    path = write_parquet(tmp_path / "c.parquet", TRL)
    assert summarise(score(path, "--reward", "format_reward"))[4] == 5
    assert "no rollout has the reward 'x'; there are: accuracy_reward, format_reward" in score(
        path, "--reward", "x", code=2
    )
    unclear = [make_trl(1, "p", "t", strict=1.0, loose=0.0)]
    said = score(write_parquet(tmp_path / "u.parquet", unclear), code=2)
    assert "the rewards loose, strict: name the one" in said
    assert "as --reward loose" in said


def test_verls_rollouts_a_file_a_step(tmp_path, score):
    for step in (2, 10):
        rows = [
            make_verl(step, "2 + 2?", "four", 1.1, acc=1.0),
            make_verl(step, "2 + 2?", "five", 0.1, acc=0.0),
            make_verl(step, "1 + 1?", "two", 1.1, acc=1.0),
            make_verl(step, "1 + 1?", "2", 1.0, acc=1.0),
        ]
        write_lines(tmp_path / f"{step}.jsonl", rows)
    report = score(tmp_path)
    assert summarise(report) == (4, 4, 2, 0, 6)
    assert report.notes == ("read as verl's rollouts; an answer is right where acc >= 0.5",)
    # By the score, which is more than right or wrong:
    (note,) = score(tmp_path, "--reward", "score", "--right-from", "1.05").notes
    assert "it takes other values than 0 and 1 too, as 0.1, 1.1: see --right-from" in note


def test_predictions_in_a_log_go_to_their_problem(tmp_path, score):
    asked = f"user\n{META.render('2 + 2?')}\nassistant\n"
    orphan = f"user\n{META.render('7 + 7?')}\nassistant\n"
    rows = [
        make_verl(1, "2 + 2?", "four", 1.0),
        make_verl(1, "2 + 2?", "4", 1.0),
        {**make_verl(1, "", '{"pass_rate": 8}', 0.5), "input": asked},
        {**make_verl(1, "", '{"pass_rate": 6}', 0.5), "input": asked},
        {**make_verl(1, "", '{"pass_rate": 0}', 0.5), "input": orphan},
    ]
    report = score(write_lines(tmp_path / "1.jsonl", rows))
    assert (report.problems, report.rollouts, report.predictions) == (1, 2, 2)
    assert report.pass_rate.predicted == 7 / 8
    assert report.notes[0].endswith("1 predictions left out, as their problem has no rollout here")


def test_openrlhfs_batch_inference_has_no_reward_unless_a_model_gave_one(tmp_path, score):
    rows = [{"input": "2 + 2?", "output": text} for text in ("4", "5")]
    said = score(write_lines(tmp_path / "g.jsonl", rows), code=2)
    assert "neither rewards nor right answers" in said
    rewarded = [{**row, "reward": reward} for row, reward in zip(rows, (1.0, -1.0), strict=True)]
    report = score(write_lines(tmp_path / "r.jsonl", rewarded))
    assert summarise(report) == (1, 1, 0, 0, 1)
    assert report.notes[0].startswith("read as OpenRLHF's batch inference")


def make_trace(number, text, reward, tokens):
    """A line of prime-rl's train_rollouts.jsonl, as it was: a trace alone."""
    return {
        "id": f"t{number}",
        "task": {"data": {"prompt": "2 + 2?", "answer": "4"}, "key": "k"},
        "nodes": [
            {"message": {"role": "user", "content": "2 + 2?"}},
            {"message": {"role": "assistant", "content": text}, "sampled": True},
        ],
        "rewards": {"correct": {"score": reward, "weight": 0.5}},
        "num_output_tokens": tokens,
        "ok": True,
    }


def test_a_trace_a_line(tmp_path, score):
    rows = [make_trace(1, "4", 1.0, 70), make_trace(2, "5", 0.0, 30)]
    rows.append({**make_trace(3, "", 0.0, 0), "nodes": []})  # failed before it said anything
    report = score(write_lines(tmp_path / "train_rollouts.jsonl", rows))
    assert summarise(report) == (1, 1, 0, 0, 1)
    assert (report.gate.unit, report.gate.amount) == ("tokens", 100)


def test_of_prime_rls_folder_all_counts_and_not_a_part_of_it_too(tmp_path, score):
    for step in (1, 2):
        for subset, rows in (("all", 2), ("effective", 1)):
            folder = tmp_path / f"step_{step}" / "train" / subset
            folder.mkdir(parents=True)
            write_lines(folder / "traces.jsonl", [make_trace(n, "4", 1.0, 9) for n in range(rows)])
    assert summarise(score(tmp_path)) == (2, 2, 2, 0, 4)


PLAIN = [
    {"question": "2 + 2?", "response": "4", "correct": True, "completion_tokens": 10},
    {"question": "2 + 2?", "response": "5", "correct": False, "completion_tokens": 30},
]


@pytest.mark.parametrize("form", ["lines", "array", "pretty array", "gz", "parquet"])
def test_rows_of_rollouts_in_any_container(tmp_path, score, form):
    path = tmp_path / "rows"
    if form == "parquet":
        write_parquet(path, PLAIN)
    elif form == "gz":
        path = tmp_path / "rows.jsonl.gz"
        path.write_bytes(gzip.compress(write_lines(tmp_path / "raw", PLAIN).read_bytes()))
    elif form == "lines":
        write_lines(path, PLAIN)
    else:
        path.write_text("\n" + json.dumps(PLAIN, indent=2 if form == "pretty array" else None))
    report = score(path)
    assert summarise(report) == (1, 1, 0, 0, 1)
    assert (report.gate.unit, report.gate.amount) == ("tokens", 40)


def test_answers_are_verified_where_nothing_says_what_is_right(tmp_path, score):
    rows = [{"prompt": "2 + 2?", "completion": rf"\boxed{{{n}}}", "answer": 4} for n in (4, 5)]
    report = score(write_lines(tmp_path / "rows.jsonl", rows))
    assert summarise(report) == (1, 1, 0, 0, 1)
    assert report.verdicts == {"correct": 1, "incorrect": 1}


def test_problems_with_their_rollouts_come_in_any_container_too(tmp_path, score):
    lines = [
        {
            "problem": f"p{n}",
            "rollouts": [{"text": "t", "length": n, "correct": True}] * 2,
            "predictions": ["{}"],
        }
        for n in (1, 2)
    ]
    (tmp_path / "array.json").write_text(json.dumps(lines))
    wanted = score(write_lines(tmp_path / "lines.jsonl", lines))
    assert score(tmp_path / "array.json") == wanted
    assert score(write_parquet(tmp_path / "p.parquet", lines)) == wanted
    assert wanted.predictions == 2


def test_bad_rows_are_told_and_left_out(tmp_path, capsys):
    rows = [*PLAIN, {"question": "3?"}, [], {**PLAIN[0], "correct": 7}]
    path = write_lines(tmp_path / "rows.jsonl", rows)
    assert cli.main(["score", str(path), "--json"]) == 0
    printed = capsys.readouterr()
    assert [line.split(":")[0] for line in printed.err.splitlines()] == [
        "line 3",
        "line 4",
        "line 5",
    ]
    assert "correct: true or false is wanted, got 7" in printed.err
    assert Report.model_validate_json(printed.out).lines.bad == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1}', "a row with the keys 'a' is no form that can be read. Wanted is a problem"),
        ("[1]", "entry 1 of the array is no object but 1"),
        ("[{]", "begins as a JSON array, and is none"),
        ("PAR1 and no more", "cannot be read as parquet"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_line(tmp_path, score, text, said):
    path = tmp_path / "file"
    path.write_text(text)
    told = score(path, code=2)
    assert said in told
    assert told.count("\n") == 1


def test_without_pyarrow_a_parquet_file_is_refused_by_the_extra_that_reads_it(
    tmp_path, score, monkeypatch
):
    path = write_parquet(tmp_path / "c.parquet", TRL)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setattr("masa_rewards.score.sources.containers.find_spec", lambda name: None)
    assert "pip install 'masa-rewards[parquet]'" in score(path, code=2)


def test_the_demo_and_its_page(tmp_path, capsys):
    page = tmp_path / "demo.html"
    assert cli.main(["score", "--demo", "--html", str(page)]) == 0
    printed = capsys.readouterr()
    assert "Made-up data (--demo)" in printed.out
    assert "Does a gate pay here? YES." in printed.out
    assert max(map(len, printed.out.splitlines())) <= 80
    assert f"figures are in {page}" in printed.err
    assert "Made-up data (--demo)" in page.read_text(encoding="utf-8")
    assert cli.main(["score", "--demo", "--html", str(tmp_path / "no" / "page.html")]) == 2
    assert "there is no folder for" in capsys.readouterr().err


def test_without_a_file_the_demo_is_named(capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["score"])
    assert ended.value.code == 2
    assert "see what it would say with --demo" in capsys.readouterr().err
