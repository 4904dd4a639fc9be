"""What the copies of the model rely on in vLLM; read from its source, without importing it."""

import ast
import importlib.util
from pathlib import Path

import pytest

SPEC = importlib.util.find_spec("vllm")
if SPEC is None:
    pytest.skip("the stack is not installed: masa-openrlhf[cpu]", allow_module_level=True)
VLLM = Path(SPEC.submodule_search_locations[0])


def definition(file, name):
    node = ast.parse((VLLM / file).read_text(encoding="utf-8"))
    for part in name.split("."):
        node = next((n for n in node.body if getattr(n, "name", None) == part), None)
        assert node is not None, f"vllm/{file} has no {name} any more"
    return node


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("from_engine_args", ["engine_args"]),
        ("add_request", ["request_id", "prompt", "params"]),
        ("step", []),
        ("has_unfinished_requests", []),
        ("get_tokenizer", []),
    ],
)
def test_the_engine_still_has(name, needed):
    found = definition("v1/engine/llm_engine.py", f"LLMEngine.{name}")
    names = [argument.arg for argument in found.args.args]
    assert [each for each in needed if each not in names] == []


@pytest.mark.parametrize(
    ("file", "name", "fields"),
    [
        (
            "engine/arg_utils.py",
            "EngineArgs",
            "model max_model_len seed enable_chunked_prefill max_num_seqs enforce_eager "
            "gpu_memory_utilization tensor_parallel_size",
        ),
        (
            "sampling_params.py",
            "SamplingParams",
            "n temperature top_p max_tokens seed output_kind skip_special_tokens",
        ),
    ],
)
def test_arguments_still_have(file, name, fields):
    found = {n.target.id for n in definition(file, name).body if isinstance(n, ast.AnnAssign)}
    assert [field for field in fields.split() if field not in found] == []


def test_outputs_come_whole_and_say_why_they_ended():
    kinds = ast.unparse(definition("sampling_params.py", "RequestOutputKind"))
    assert "FINAL_ONLY" in kinds
    source = (VLLM / "outputs.py").read_text(encoding="utf-8")
    for word in ("finish_reason", "token_ids", "index", "finished"):
        assert word in source
