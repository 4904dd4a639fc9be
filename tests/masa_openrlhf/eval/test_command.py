import json
import subprocess
import sys

import pytest
from masa_openrlhf.cli import main
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.eval import command
from masa_openrlhf.eval.config import EvaluationConfig
from masa_openrlhf.eval.engine.model_source import find_model
from masa_openrlhf.eval.errors import EvalError
from masa_openrlhf.eval.folder import EvalFolder
from masa_rewards import MetaPrompt

from tests.masa_openrlhf.eval.factories import ROWS, write_benchmark
from tests.masa_openrlhf.eval.fakes import ScriptedEngine
from tests.masa_openrlhf.model.gguf_file import write_gguf


def run(capsys, *argv):
    status = 0
    try:
        main(["eval", *argv])
    except SystemExit as end:
        status = end.code
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_the_defaults_are_the_papers():
    config = EvaluationConfig()
    assert (config.samples, config.temperature, config.max_tokens) == (32, 0.6, 16384)
    assert config.ks == (1, 8, 32)
    assert EvaluationConfig(samples=8).ks == (1, 8)
    assert (config.prediction.rollouts, config.prediction.gate_max_std) == (8, 0.1)


def test_the_help_imports_nothing_slow():
    code = (
        "import sys; from masa_openrlhf.cli import main; main(['eval', '--help']);"
        "heavy = {'torch', 'ray', 'vllm', 'numpy', 'rich', 'datasets'} & set(sys.modules);"
        "sys.exit(f'imported: {heavy}' if heavy else 0)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert "--benchmarks" in ended.stdout


def test_settings_import_nothing_of_openrlhfs_arguments():
    code = (
        "import sys; import masa_openrlhf.eval.settings;"
        "found = [name for name in sys.modules if name.startswith('masa_openrlhf.arguments')];"
        "sys.exit(f'imported: {found}' if found else 0)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "qwen3"}')
    return str(folder)


def test_a_dry_run_says_what_would_be_asked(capsys, tmp_path, model):
    write_benchmark(tmp_path, "aime24")
    argv = [model, "--benchmarks", "aime24", "--data", str(tmp_path), "--dry-run"]
    status, out, err = run(capsys, *argv, "--evals", str(tmp_path / "evals"))
    assert status == 0, err
    assert "32 answers of at most 524,288 tokens in all" in out
    assert not (tmp_path / "evals").exists()


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ([], "no MODEL is named"),
        (["MODEL", "--benchmarks", "aime26"], "there is no benchmark 'aime26'; there are aime24"),
        (["MODEL", "--samples", "0"], "input_value=0"),
        (["MODEL", "--temperature", "0"], "at temperature 0 all 32 samples are the same"),
        (["MODEL", "--pass-at", "0"], "pass_at holds numbers from 1 up, got"),
        (["MODEL", "--solution-template", "Solve."], "{problem} exactly once, got 'Solve.'"),
        (["MODEL", "--samplse", "3"], "--samplse"),
        (["MODEL", "--benchmarks", "folio"], "fetch it from github.com/teacherpeterpan/Logic-LLM"),
        (["MODEL", "--data", "nowhere"], "'nowhere' is not a folder"),
        (["MODEL", "--resume", "nowhere"], "nowhere is not an evaluation's folder"),
        (["MODEL", "--config", "none.toml"], "none.toml cannot be read"),
        (["./nowhere"], "there is no folder './nowhere'"),
        (["MODEL", "--benchmarks", "tiny"], "the benchmark tiny is for MODEL tiny"),
    ],
)
def test_a_mistake_is_named_before_anything_starts(capsys, model, argv, message):
    argv = [model if part == "MODEL" else part for part in argv]
    status, out, err = run(capsys, *argv)
    assert status == 2
    assert message in " ".join((out + err).split()).replace("│", "")
    assert "Traceback" not in out + err


def test_all_benchmarks_that_cannot_be_read_are_named_at_once(capsys, tmp_path, model):
    argv = [model, "--benchmarks", "folio,arlsat,mbpp", "--data", str(tmp_path)]
    write_benchmark(tmp_path, "mbpp")
    status, _, err = run(capsys, *argv)
    assert status == 2
    assert "folio is not on the hub" in err
    assert "arlsat is not on the hub" in err


def test_what_a_model_is(tmp_path, model):
    assert find_model(EvaluationConfig(model=model)).path == model
    hub = find_model(EvaluationConfig(model="Qwen/Qwen3-8B"))
    assert (hub.path, hub.name, hub.trained) == ("Qwen/Qwen3-8B", "Qwen--Qwen3-8B", False)
    run_folder = tmp_path / "run"
    (run_folder / "model").mkdir(parents=True)
    trained = TrainConfig(solution={"template": "Do {problem}"}, name="x")
    (run_folder / "config.json").write_text(trained.model_dump_json())
    config = EvaluationConfig(model=str(run_folder))
    with pytest.raises(EvalError, match="has no model yet: finish it with .*masa-openrlhf train"):
        find_model(config)
    (run_folder / "model" / "config.json").write_text("{}")
    found = find_model(config)
    assert found.path == str(run_folder / "model")
    assert found.trained
    assert found.asked_as.solution.template == "Do {problem}"
    assert command.build_meta_prompt(config, found) == trained.meta_prompt
    given = EvaluationConfig(
        model=str(run_folder), solution_template="Now {problem}", chat_template=False
    )
    assert find_model(given).asked_as.solution.template == "Now {problem}"
    assert not find_model(given).asked_as.model.chat_template
    assert command.build_meta_prompt(config, hub) == MetaPrompt(max_length=16384)
    (tmp_path / "empty").mkdir()
    with pytest.raises(EvalError, match="neither a model's folder nor a run's"):
        find_model(EvaluationConfig(model=str(tmp_path / "empty")))
    newer = {**json.loads(trained.model_dump_json()), "of_a_later_version": 1}
    (run_folder / "config.json").write_text(json.dumps(newer))
    with pytest.raises(
        EvalError,
        match=r"another version(.|\n)*no setting of_a_later_version(.|\n)*Name .*model to",
    ):
        find_model(config)
    (run_folder / "config.json").write_text("{")
    with pytest.raises(EvalError, match="cannot be read"):
        find_model(config)


class Engines:
    """In the place of vLLM: answers every question with 204."""

    started = 0
    stop_after = None

    def __init__(self, *arguments):
        type(self).started += 1

    def __enter__(self):
        return ScriptedEngine(
            lambda request: ["\\boxed{204}", "\\boxed{3}"] * (request.n // 2),
            type(self).stop_after,
        )

    def __exit__(self, *_):
        return None


@pytest.fixture
def engines(monkeypatch):
    monkeypatch.setattr(command, "Replicas", Engines)
    monkeypatch.setattr(command, "build_engine_start", lambda model, config, temporary: None)
    Engines.started, Engines.stop_after = 0, None
    return Engines


def evaluate(capsys, tmp_path, model, *argv, rows=1):
    write_benchmark(tmp_path, "aime24", [ROWS["aime24"][0]] * rows)
    where = ["--evals", str(tmp_path / "evals"), "--data", str(tmp_path)]
    return run(capsys, model, "--benchmarks=aime24", "--samples=4", *where, *argv)


def only(tmp_path):
    (path,) = (tmp_path / "evals").iterdir()
    return EvalFolder(path)


def test_from_the_command_line_to_the_results(capsys, tmp_path, model, engines):
    status, out, err = evaluate(capsys, tmp_path, model, "--pass-at", "1", "2")
    assert status == 0, err
    folder = only(tmp_path)
    results = json.loads(folder.results.read_text())
    (figures,) = results["benchmarks"]
    assert figures["pass_at"]["1"] == [0.5, None, None]
    assert figures["pass_at"]["2"][0] == pytest.approx(5 / 6)
    assert results["settings"]["samples"] == 4
    assert folder.fragment.read_text().startswith("<section")
    assert "AIME 2024" in out
    assert "1 of the 30 published questions" in out


def test_stopped_and_gone_on_with(capsys, tmp_path, model, engines):
    engines.stop_after = 3
    status, out, _ = evaluate(capsys, tmp_path, model, "--engine.questions-in-flight=1", rows=8)
    folder = only(tmp_path)
    done = len(list(folder.records("aime24").read()))
    assert status == 130
    assert 0 < done < 8
    assert f"masa-openrlhf eval --resume {folder.path}" in out.replace("\n", "")
    assert not json.loads(folder.results.read_text())["complete"]
    engines.stop_after = None
    status, out, err = run(capsys, "--resume", str(folder.path))
    assert status == 0, err
    assert len(list(folder.records("aime24").read())) == 8
    assert json.loads(folder.results.read_text())["complete"]
    status, _, err = run(capsys, "--resume", str(folder.path), "--seed", "7")
    assert status == 2
    assert "seed (was 0, now 7)" in err
    status, _, err = run(capsys, "--resume", str(folder.path), "--config", "x.toml")
    assert "takes flags, no files" in err


def test_compared_without_a_model(capsys, tmp_path, model, engines):
    evaluate(capsys, tmp_path, model)
    folder = only(tmp_path)
    assert engines.started == 1
    status, out, err = run(capsys, "--resume", str(folder.path), "--compare", str(folder.path))
    assert status == 0, err
    assert engines.started == 1
    assert "+0.0" in out
    assert json.loads(folder.results.read_text())["comparison"]["benchmarks"][0]["better"] == 0
    status, _, err = run(capsys, "--resume", str(folder.path), "--compare", str(tmp_path))
    assert status == 2
    assert "is not an evaluation's folder" in err


def test_settings_come_from_a_file_and_flags_go_over_it(capsys, tmp_path, model, engines):
    (tmp_path / "mine.toml").write_text("samples = 6\nseed = 5\n[prediction]\nrollouts = 3\n")
    status, _, err = evaluate(capsys, tmp_path, model, "--config", str(tmp_path / "mine.toml"))
    assert status == 0, err
    found = only(tmp_path).read_settings()
    assert (found.samples, found.seed, found.prediction.rollouts) == (4, 5, 3)
    (tmp_path / "mine.toml").write_text("sample = 6\n")
    status, _, err = evaluate(capsys, tmp_path, model, "--config", str(tmp_path / "mine.toml"))
    assert status == 2
    assert "sample: Extra inputs are not permitted (got 6)" in err


def test_code_is_not_run_where_a_limit_does_not_hold(capsys, tmp_path, model, engines, monkeypatch):
    monkeypatch.setattr(command, "probe_limits", lambda: ("no network: it connected",))
    write_benchmark(tmp_path, "mbpp")
    argv = [model, "--benchmarks=mbpp", "--samples=2", "--data", str(tmp_path)]
    argv += ["--evals", str(tmp_path / "evals")]
    status, _, err = run(capsys, *argv)
    assert status == 2
    assert "- no network: it connected" in err
    assert "--allow-unsandboxed" in err
    assert engines.started == 0
    status, out, err = run(capsys, *argv, "--allow-unsandboxed")
    assert status == 0, err
    assert "ran without these limits (--allow-unsandboxed): no network: it connected" in out
    results = [json.loads(p.read_text()) for p in (tmp_path / "evals").glob("*/results.json")]
    assert results[0]["unlimited"] == ["no network: it connected"]
    status, _, err = run(capsys, *argv, "--i-know")  # its name in 0.1.0
    assert status == 0
    assert "--i-know is now --allow-unsandboxed" in err


@pytest.mark.filterwarnings("ignore")  # of transformers
def test_a_gguf_file_is_converted(tmp_path, monkeypatch):
    pytest.importorskip("gguf")
    pytest.importorskip("transformers")
    monkeypatch.setenv("MASA_CACHE", str(tmp_path / "cache"))
    file = write_gguf(tmp_path / "small.gguf")
    found = find_model(EvaluationConfig(model=str(file)))
    assert (found.name, found.trained) == ("small", False)
    assert found.path.startswith(str(tmp_path / "cache"))
    with pytest.raises(EvalError, match="nothing.gguf cannot be read"):
        find_model(EvaluationConfig(model="nothing.gguf"))
