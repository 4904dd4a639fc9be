"""A small GGUF file, written here, becomes a folder that transformers loads."""

import json

import pytest

gguf = pytest.importorskip("gguf")
torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
np = pytest.importorskip("numpy")

from masa_openrlhf.model.gguf import convert_gguf, read_gguf_config  # noqa: E402
from masa_openrlhf.model.source import prepare_model  # noqa: E402
from masa_openrlhf.plan.shapes import find_shape  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")  # of transformers

HIDDEN, LAYERS, HEADS, KEY_HEADS, INNER = 32, 2, 4, 2, 64
TOKENS = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    *map(chr, range(33, 127)),
    "Ġ",
    "Ċ",
    "ab",
    "cd",
]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A Llama of random weights, with a byte-level tokenizer and a chat template."""
    path = tmp_path_factory.mktemp("gguf") / "small.Q8_0.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(LAYERS)
    writer.add_context_length(512)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEY_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10_000.0)
    writer.add_vocab_size(len(TOKENS))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(TOKENS)
    writer.add_token_types([3, 3, 3] + [1] * (len(TOKENS) - 3))
    writer.add_token_merges(["a b", "c d"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_chat_template(
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    )
    draw = np.random.default_rng(0)

    def add(name, *shape):
        writer.add_tensor(name, draw.normal(0, 0.1, shape).astype(np.float32))

    width = HIDDEN // HEADS * KEY_HEADS
    add("token_embd.weight", len(TOKENS), HIDDEN)
    add("output_norm.weight", HIDDEN)
    for i in range(LAYERS):
        add(f"blk.{i}.attn_norm.weight", HIDDEN)
        add(f"blk.{i}.ffn_norm.weight", HIDDEN)
        add(f"blk.{i}.attn_q.weight", HIDDEN, HIDDEN)
        add(f"blk.{i}.attn_k.weight", width, HIDDEN)
        add(f"blk.{i}.attn_v.weight", width, HIDDEN)
        add(f"blk.{i}.attn_output.weight", HIDDEN, HIDDEN)
        add(f"blk.{i}.ffn_gate.weight", INNER, HIDDEN)
        add(f"blk.{i}.ffn_up.weight", INNER, HIDDEN)
        add(f"blk.{i}.ffn_down.weight", HIDDEN, INNER)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


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
