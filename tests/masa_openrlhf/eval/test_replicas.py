import sys
import time
from pathlib import Path

import psutil
import pytest
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.eval.config import EvaluationConfig
from masa_openrlhf.eval.engine import replicas
from masa_openrlhf.eval.engine.messages import GenerateRequest
from masa_openrlhf.eval.engine.model_source import ModelSource
from masa_openrlhf.eval.engine.replicas import Replicas
from masa_openrlhf.eval.engine.start import EngineStart, build_engine_start
from masa_openrlhf.eval.errors import EvalError

COMMAND = (sys.executable, str(Path(__file__).with_name("fake_worker.py")))


def copies(tmp_path, count=1, how="", seconds=30.0):
    environment = [{"WHO": str(number)} for number in range(count)]
    start = EngineStart({"how": how}, environment, {}, False)
    return Replicas(start, tmp_path / "log", seconds, COMMAND)


def request(number):
    return GenerateRequest(
        id=str(number), prompt=f"p{number}", n=2, max_tokens=9, temperature=1.0, top_p=1.0, seed=0
    )


def test_questions_are_dealt_out_evenly_and_every_answer_comes_back(tmp_path):
    with copies(tmp_path, 3) as engine:
        for number in range(9):
            engine.ask(request(number))
        assert engine.in_flight == 9
        found = {}
        while engine.in_flight:
            found |= {message.id: message for message in engine.answers(1.0)}
    assert sorted(found) == [str(number) for number in range(9)]
    said = [message.answers[0].text.split(" by ") for message in found.values()]
    assert sorted(who for _, who in said) == ["0"] * 3 + ["1"] * 3 + ["2"] * 3


def test_nothing_is_left_of_them(tmp_path, monkeypatch):
    monkeypatch.setattr(replicas, "SHUTDOWN_SECONDS", 0.5)
    with copies(tmp_path, 2, "does not go"):
        assert len(psutil.Process().children()) >= 2
    assert not [
        child
        for child in psutil.Process().children(recursive=True)
        if "fake_worker" in " ".join(child.cmdline())
    ]


def test_a_copy_that_dies_is_told_with_its_last_words(tmp_path):
    with pytest.raises(EvalError, match=r"ended with status 3.*log(.|\n)*no such model"):
        copies(tmp_path, 2, "dies at once")
    with copies(tmp_path, 1, "dies when asked") as engine:
        engine.ask(request(0))
        with pytest.raises(EvalError, match=r"ended with status 9(.|\n)*out of memory"):
            engine.answers(30.0)


def test_a_copy_that_does_not_start_in_time(tmp_path, monkeypatch):
    monkeypatch.setattr(replicas, "SHUTDOWN_SECONDS", 0.2)
    begun = time.monotonic()
    with pytest.raises(EvalError, match=r"not ready after 0\.5 s \(engine\.start_seconds\)"):
        copies(tmp_path, 1, "never ready", seconds=0.5)
    assert time.monotonic() - begun < 10


MODEL = ModelSource("m", "folder/m", TrainConfig(), trained=False)


def test_gpus_are_dealt_out_to_the_copies(tmp_path, monkeypatch):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    config = EvaluationConfig(
        model="m", tensor_parallel=2, data_parallel=2, engine={"device": "gpu", "gpu_memory": 0.5}
    )
    start = build_engine_start(MODEL, config, tmp_path)
    assert [e["CUDA_VISIBLE_DEVICES"] for e in start.environment] == ["0,1", "2,3"]
    assert start.arguments["tensor_parallel_size"] == 2
    assert start.arguments["gpu_memory_utilization"] == 0.5
    assert start.arguments["model"] == "folder/m"
    assert start.chat_if_any
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5,7,6")
    start = build_engine_start(MODEL, config, tmp_path)
    assert [e["CUDA_VISIBLE_DEVICES"] for e in start.environment] == ["4,5", "7,6"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5")
    with pytest.raises(EvalError, match="wants 4 GPUs, and CUDA_VISIBLE_DEVICES is '4,5'"):
        build_engine_start(MODEL, config, tmp_path)


def test_a_cpu_has_no_tensor_parallelism(tmp_path):
    config = EvaluationConfig(model="m", engine={"device": "cpu"}, data_parallel=2)
    start = build_engine_start(MODEL, config, tmp_path)
    assert len(start.environment) == 2
    assert start.arguments["enforce_eager"]
    assert start.environment[0]["VLLM_TARGET_DEVICE"] == "cpu"
    config = EvaluationConfig(model="m", engine={"device": "cpu"}, tensor_parallel=2)
    with pytest.raises(EvalError, match="needs GPUs: set tensor_parallel = 1"):
        build_engine_start(MODEL, config, tmp_path)
