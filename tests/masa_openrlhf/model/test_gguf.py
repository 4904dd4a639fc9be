"""A small GGUF file, written here, becomes a folder that transformers loads."""

import json

import pytest

gguf = pytest.importorskip("gguf")
torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from masa_openrlhf.model.gguf import convert_gguf, read_gguf_config  # noqa: E402
from masa_openrlhf.model.source import prepare_model  # noqa: E402
from masa_openrlhf.plan.shapes import find_shape  # noqa: E402

from tests.masa_openrlhf.model.gguf_file import TOKENS, write_gguf  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")  # of transformers


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return write_gguf(tmp_path_factory.mktemp("gguf") / "small.Q8_0.gguf")


def test_its_sizes_are_read_without_its_weights(file):
    shape = find_shape(str(file))
    assert (shape.hidden, shape.layers, shape.heads, shape.key_heads) == (32, 2, 4, 2)
    assert (shape.intermediate, shape.vocabulary, shape.positions) == (64, len(TOKENS), 512)
    assert shape.tied
    assert read_gguf_config(file)["model_type"] == "llama"


def test_it_is_converted_once_and_loads(file, tmp_path):
    said = []
    folder = prepare_model(str(file), tmp_path, said.append)
    assert said == ["converting small.Q8_0.gguf: some minutes, once"]
    assert prepare_model(str(file), tmp_path, said.append) == folder
    assert len(said) == 1
    model = transformers.AutoModelForCausalLM.from_pretrained(folder)
    assert model.dtype == torch.bfloat16
    assert sum(p.numel() for p in model.parameters()) == find_shape(str(file)).parameters
    assert find_shape(folder) == find_shape(str(file))
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    assert tokenizer.eos_token == "<|im_end|>"
    asked = tokenizer.apply_chat_template([{"role": "user", "content": "hi"}], tokenize=False)
    assert asked == "<|im_start|>user\nhi<|im_end|>\n"
    weights = model.get_input_embeddings().weight
    reader = gguf.GGUFReader(file)
    written = next(t for t in reader.tensors if t.name == "token_embd.weight").data
    torch.testing.assert_close(weights.float(), torch.tensor(written.copy()), atol=2e-3, rtol=1e-2)


def test_another_content_is_another_folder(file, tmp_path):
    first = convert_gguf(file, tmp_path / "cache", print)
    other = tmp_path / file.name
    other.write_bytes(file.read_bytes())
    assert convert_gguf(other, tmp_path / "cache", print) == first
    with other.open("r+b") as stream:
        stream.seek(-4, 2)
        stream.write(b"\1\2\3\4")
    assert convert_gguf(other, tmp_path / "cache", print) != first
    assert json.loads((first / "config.json").read_text())["model_type"] == "llama"
