import json
import statistics
import subprocess
import sys
import time

import pytest
from masa_openrlhf.cli import main


def run(capsys, *argv):
    status = 0
    try:
        main(list(argv))
    except SystemExit as end:
        status = end.code
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_help_of_every_setting(capsys):
    status, out, _ = run(capsys, "train", "--help")
    assert status == 0
    for name in ("--preset", "--resume", "--dry-run", "--meta.rollouts", "--solution.max-tokens"):
        assert name in out


@pytest.mark.parametrize(
    ("argv", "seconds"), [(["--help"], 0.5), (["train", "--help"], 1.5), (["presets"], 0.5)]
)
def test_help_answers_at_once(argv, seconds):
    times = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "masa_openrlhf.cli", *argv], check=True, capture_output=True
        )
        times.append(time.perf_counter() - start)
    assert statistics.median(times) < seconds


def test_help_imports_nothing_of_the_stack():
    code = (
        "import sys; from masa_openrlhf.cli import main; main(['train', '--help']);"
        "heavy = {'torch', 'ray', 'vllm', 'deepspeed', 'numpy', 'transformers'} & set(sys.modules);"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("preset", ["tiny", "qwen3-8b", "qwen3-14b"])
def test_a_dry_run_shows_everything_and_starts_nothing(capsys, tmp_path, preset):
    runs, data = tmp_path / "runs", tmp_path / "data.jsonl"
    data.write_text('{"problem": "1+1?", "answer": "2"}\n{"problem": "1+2?", "answer": null}\n')
    argv = ["train", "--preset", preset, "--dry-run", "--runs", str(runs), "--ds.overlap_comm"]
    status, out, err = run(capsys, *argv, "--data.train", str(data))
    assert status == 0, err
    assert "1 problems to train on; read as problem and answer: problem, answer" in err
    assert "left out: 1 no answer" in err
    config, _, arguments = out.partition("python -m openrlhf.cli.train_ppo_ray")
    assert json.loads(config)["name"] == preset
    assert "--ds.overlap_comm" in arguments
    assert "--algo.advantage.estimator group_norm" in arguments
    assert not runs.exists()


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["trian"], "there is no command 'trian'"),
        (["train", "--preset", "huge"], "there is no preset 'huge'"),
        (
            ["train", "--dry-run", "--meta.rolouts", "3"],
            "there is no setting meta.rolouts; did you mean meta.rollouts?",
        ),
        (["train", "--dry-run", "--checkpoint.keep", "1"], "input_value=1"),
        (["train", "--dry-run", "--rollout.batch_size", "3"], "is set by batch.problems"),
        (["train", "--resume", "nowhere"], "not a run's folder"),
        (["train", "--config", "nowhere.toml"], "nowhere.toml cannot be read"),
        (["train", "--dry-run", "--cluster.pack"], "cluster.pack = false"),
        (["train", "--preset", "qwen3-8b"], "install masa-openrlhf[cluster]"),
    ],
)
def test_a_mistake_is_named_before_anything_starts(capsys, argv, message):
    status, _, err = run(capsys, *argv)
    assert status == 2
    assert message in err
    assert "Traceback" not in err


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_problems_that_cannot_be_used_are_said_and_leave_nothing_behind(capsys, tmp_path, dry):
    data, runs = tmp_path / "data.jsonl", tmp_path / "runs"
    data.write_text('{"task": "1+1?", "answer": "2"}\n')
    argv = ["train", "--preset", "tiny", "--data.train", str(data), "--runs", str(runs), *dry]
    status, _, err = run(capsys, *argv)
    assert status == 2
    assert "it has task, answer" in err
    assert "data.problem_key" in err
    assert len(err.splitlines()) == 1
    assert not runs.exists()


def test_data_that_is_nowhere_is_said_at_once(tmp_path):
    began = time.monotonic()
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "masa_openrlhf.cli", "train"),
            *("--preset", "tiny", "--data.train", "nowhere.parquet"),
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert (ended.returncode, ended.stderr) == (
        2,
        "masa-openrlhf: there is no file nowhere.parquet\n",
    )
    assert time.monotonic() - began < 10
    assert list(tmp_path.iterdir()) == []
