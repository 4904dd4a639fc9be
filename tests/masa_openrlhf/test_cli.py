import json
import resource
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import masa_control
import masa_openrlhf
import masa_rewards
import pytest
from masa_openrlhf.cli import main

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]


def run(capsys, *argv):
    status = 0
    try:
        main(list(argv))
    except SystemExit as end:
        status = end.code
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_help_of_every_setting(capsys):
    status, out, _ = run(capsys, "train", "--help-all")
    assert status == 0
    for name in ("--preset", "--resume", "--dry-run", "--meta.rollouts", "--solution.max-tokens"):
        assert name in out


@pytest.mark.parametrize(
    ("argv", "seconds"), [(["--help"], 0.6), (["train", "--help"], 2.5), (["presets"], 1.0)]
)
def test_help_answers_at_once(argv, seconds):
    """By processor time, which other work on the machine does not add to."""
    times = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, "-m", "masa_openrlhf.cli", *argv], check=True, capture_output=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    assert min(times) < seconds


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
    settings, _, arguments = out.partition("# python -m openrlhf.cli.train_ppo_ray")
    assert tomllib.loads(settings)["name"] == preset
    assert "#   --ds.overlap_comm" in arguments
    assert "--algo.advantage.estimator group_norm" in arguments
    status, out, err = run(capsys, *argv, "--data.train", str(data), "--json")
    assert (status, json.loads(out)["config"]["name"]) == (0, preset), err
    assert "--ds.overlap_comm" in json.loads(out)["openrlhf"]
    assert not runs.exists()


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["trian"], "there is no command 'trian': did you mean train?"),
        (["presets", "show", "huge"], "there is no preset 'huge'; there are qwen3-0.6b"),
        (["presets", "show"], "name the preset to show: "),
        (["completion", "tcsh"], "there is completion for bash, zsh, fish, not for 'tcsh'"),
        (["train", "--json"], "--json is for a dry run: "),
        (["train", "--dry-run", "--max-step", "3"], "of OpenRLHF's; did you mean --max-steps?"),
        (["train", "--dry-run", "--lr", "1e-4"], "did you mean --optim.lr or"),
        (["train", "--dry-run", "--epoch", "3"], "did you mean --epochs?"),
        (["train", "--dry-run", "--model", "X"], "did you mean --model.path or"),
        (["train", "--dry-run", "--ds.zero_stge", "3"], "did you mean --ds.zero_stage?"),
        (["train", "--dry-run", "--xyzzy"], "of ours or of OpenRLHF's: see masa-openrlhf train"),
        (["train", "--dry-run", "--batch.problmes", "3"], "did you mean batch.problems?"),
        (["train", "--dry-run", "--gate.rules", "x"], "did you mean gate.rule?"),
        (["train", "--dry-run", "--optim.learning-rate", "1"], "did you mean optim.lr?"),
        (["train", "--preset", "huge"], "there is no preset 'huge'"),
        (
            ["train", "--dry-run", "--meta.rolouts", "3"],
            "there is no setting meta.rolouts; did you mean meta.rollouts?",
        ),
        (["train", "--dry-run", "--checkpoint.keep", "1"], "input_value=1"),
        (["train", "--dry-run", "--rollout.batch_size", "3"], "is set by batch.problems"),
        (["train", "--resume", "nowhere"], "not a run's folder"),
        (["train", "--preset", "qwen3-8b", "--dry-run", "--meta.rollouts", "1"], "meta.rollouts"),
        (["train", "--config", "nowhere.toml"], "nowhere.toml cannot be read"),
        (["train", "--dry-run", "--cluster.pack"], "cluster.pack = false"),
        (["train", "--preset", "qwen3-8b"], "uv sync --all-packages --extra cluster"),
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


@pytest.mark.parametrize("module", [masa_rewards, masa_control, masa_openrlhf])
def test_the_version_is_that_of_the_package(capsys, module):
    name = module.__name__.replace("_", "-")
    stated = tomllib.loads((ROOT / "packages" / name / "pyproject.toml").read_text())
    assert module.__version__ == stated["project"]["version"]
    assert run(capsys, "--version")[:2] == (0, f"{masa_openrlhf.__version__}\n")
    assert run(capsys, "train", "--version")[:2] == (0, f"{masa_openrlhf.__version__}\n")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_short_help_is_a_screen(monkeypatch, capsys, width):
    monkeypatch.setenv("COLUMNS", str(width))
    _, out, _ = run(capsys, "train", "--help")
    lines = out.splitlines()
    assert len(lines) <= (30 if width > 60 else 34)
    assert max(map(len, lines)) <= max(width, 76)
    assert "--help-all" in out
    assert "  --optim.lr" in out


@pytest.mark.parametrize("width", [80, 120])
def test_the_whole_help_is_as_wide_as_the_terminal(monkeypatch, capsys, width):
    monkeypatch.setenv("COLUMNS", str(width))
    _, out, _ = run(capsys, "train", "--help-all")
    lines = out.splitlines()
    assert max(len(line) for line in lines if "{" not in line) <= width
    assert not any(line.endswith(" ") for line in lines)
    assert not any(a == b == "" for a, b in pairwise(lines))


@pytest.mark.parametrize("command", ["train", "eval"])
def test_a_folder_that_may_not_be_written_is_a_sentence(capsys, monkeypatch, command):
    def refuse(*_):
        raise PermissionError(13, "Permission denied", "/srv/runs")

    target = "_run_train" if command == "train" else None
    if target:
        monkeypatch.setattr(f"masa_openrlhf.cli.{target}", refuse)
    else:
        monkeypatch.setattr("masa_openrlhf.eval.command.main", refuse)
    status, _, err = run(capsys, command, "tiny")
    assert status == 1
    assert err.startswith("masa-openrlhf: no permission to use /srv/runs (permission denied)")
    assert err.count("\n") == 1


def test_a_toml_file_that_is_wrong_is_named_with_the_line_and_the_nearest_setting(capsys, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('seed = 1\n\n[batch]\nproblmes = 3\n\n[optim]\nlr = "fast"\n')
    other = tmp_path / "other.toml"
    other.write_text('max_steps = "many"\n')
    argv = ["train", "--preset", "tiny", "--config", str(file), "--config", str(other)]
    status, _, err = run(capsys, *argv, "--dry-run")
    assert status == 2
    told = err.removeprefix("masa-openrlhf: ").splitlines()
    assert f"{file}:4: there is no setting batch.problmes; did you mean batch.problems?" in told
    assert any(line.startswith(f"{file}:7: optim.lr: Input should be") for line in told)
    assert any(line.startswith(f"{other}:1: ") for line in told)
    assert len(told) == 3


def test_a_setting_that_another_one_forbids_is_found_in_its_file_too(capsys, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text("[meta]\nrollouts = 1\n")
    status, _, err = run(capsys, "train", "--preset", "tiny", "--config", str(file), "--dry-run")
    assert status == 2
    assert err.startswith(f"masa-openrlhf: {file}:2: meta.rollouts must be at least 2, got 1")
