"""A model that is not there, or not whole, is a sentence within seconds."""

import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from masa_openrlhf.model.source import ModelError, prepare_model, require_model


@pytest.fixture
def folder(tmp_path):
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        (tmp_path / name).write_text("{}")
    return tmp_path


def test_a_whole_folder_passes(folder):
    require_model(str(folder))
    assert prepare_model(str(folder), folder / "cache", print) == str(folder)


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ("config.json", "has no config.json"),
        ("tokenizer.json", r"has no tokenizer \(tokenizer.json, tokenizer.model\)"),
        ("model.safetensors", r"has no weights \(\*.safetensors"),
    ],
)
def test_what_is_missing_is_named(folder, gone, said):
    (folder / gone).unlink()
    with pytest.raises(ModelError, match=said) as refusal:
        require_model(str(folder))
    assert str(refusal.value).startswith(str(folder))


def test_a_download_that_was_not_finished_is_named(folder):
    shards = {f"layer.{i}": f"model-{i}.safetensors" for i in range(3)}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    (folder / "model-1.safetensors").touch()
    with pytest.raises(ModelError, match="lacks 2 of .* model-0.safetensors first"):
        require_model(str(folder))
    for i in range(3):
        (folder / f"model-{i}.safetensors").touch()
    require_model(str(folder))
    (folder / "model.safetensors.index.json").write_text("[]")
    with pytest.raises(ModelError, match="no index of weights"):
        require_model(str(folder))


@pytest.mark.parametrize("name", ["/no/such/folder", "./nothing", "a/b/c", "word"])
def test_what_can_be_no_hub_name_is_not_asked_for(name):
    with pytest.raises(ModelError, match=r"no folder of a model, no .gguf file, and no name on"):
        require_model(name)


def ask(endpoint):
    """What asking a hub at an address ends in, and after how many seconds."""
    code = (
        "import time; from masa_openrlhf.model.source import require_model\n"
        "start = time.perf_counter()\n"
        "try: require_model('some/model')\n"
        "except ValueError as error: print(type(error).__name__, error)\n"
        "print(time.perf_counter() - start)"
    )
    environment = {**os.environ, "HF_ENDPOINT": endpoint, "NO_PROXY": "127.0.0.1"}
    ended = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    said, seconds = ended.stdout.strip().split("\n")
    return said, float(seconds)


def test_a_hub_that_does_not_answer_is_told_within_seconds():
    said, seconds = ask("http://127.0.0.1:9")
    assert said.startswith("HubUnreachableError no config.json of 'some/model'")
    assert seconds < 30  # five on a machine that does nothing else


@pytest.mark.parametrize(
    ("status", "error"), [(404, "ModelError"), (401, "ModelError"), (503, "HubUnreachableError")]
)
def test_a_hub_that_has_no_such_model_is_told_apart_from_one_at_fault(status, error):
    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Hub) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            said, _ = ask(f"http://127.0.0.1:{server.server_port}")
        finally:
            server.shutdown()
            thread.join()
    assert said.startswith(f"{error} no config.json of 'some/model'")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("no.gguf", None, "cannot be read: No such file"),
        ("text.gguf", b"hello", "no GGUF file: it does not begin with GGUF"),
        ("m-00001-of-00003.gguf", b"GGUF", "a part of a model: join the parts"),
    ],
)
def test_a_gguf_file_is_looked_at(tmp_path, name, content, said):
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ModelError, match=said):
        require_model(str(file))


@pytest.mark.filterwarnings("ignore")  # of torch and transformers, imported here first
def test_a_gguf_file_that_nothing_can_be_made_of_is_a_sentence(tmp_path):
    pytest.importorskip("gguf")
    file = tmp_path / "broken.gguf"
    file.write_bytes(b"GGUF" + bytes(100))
    require_model(str(file))
    with pytest.raises(ModelError, match="broken.gguf cannot be converted"):
        prepare_model(str(file), tmp_path, lambda what: None)
    assert not list((tmp_path / "gguf").iterdir())
