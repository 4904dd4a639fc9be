"""Sizes of a model from its config.json, against what transformers builds from it."""

import json

import pytest
from masa_openrlhf.plan.shapes import SHAPES, ShapeError, find_shape, parse_shape

SMALL = {
    "hidden_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "intermediate_size": 200,
    "vocab_size": 500,
    "max_position_embeddings": 4096,
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize(
    ("family", "more"),
    [
        ("llama", {}),
        ("llama", {"attention_bias": True}),
        ("llama", {"head_dim": 32}),
        ("mistral", {}),
        ("qwen2", {}),
        ("qwen3", {"head_dim": 24}),
        ("qwen3", {"head_dim": 24, "attention_bias": True}),
        ("smollm3", {"pad_token_id": 0}),
    ],
)
def test_parameters_are_those_of_the_model_that_transformers_makes(family, more, tied):
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    sizes = {**SMALL, **more, "tie_word_embeddings": tied}
    config = transformers.AutoConfig.for_model(family, **sizes)
    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(config)
    found = parse_shape({"model_type": family, **sizes})
    assert found.parameters == sum(p.numel() for p in model.parameters())
    # What transformers writes down has more in it, and the same sizes.
    assert parse_shape(json.loads(config.to_json_string(use_diff=False))) == found


def test_the_family_we_ship_has_as_many_parameters_as_it_is_known_for():
    found = {name.rpartition("-")[2]: shape.parameters for name, shape in SHAPES.items()}
    assert found == {
        "0.6B": 596_049_920,
        "1.7B": 1_720_574_976,
        "4B": 4_022_468_096,
        "8B": 8_190_735_360,
        "14B": 14_768_307_200,
    }


def test_a_folder_a_file_and_a_name_are_found(tmp_path):
    written = {"model_type": "qwen2", **SMALL}
    (tmp_path / "config.json").write_text(json.dumps(written))
    assert find_shape(str(tmp_path)) == parse_shape(written)
    assert find_shape(str(tmp_path / "config.json")) == parse_shape(written)
    assert (
        find_shape("Qwen/Qwen3-4B-Base") == find_shape("Qwen/Qwen3-4B") == SHAPES["Qwen/Qwen3-4B"]
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model_type": "mixtral"}, r"'mixtral' is not planned.*dense decoders \(llama"),
        ({"model_type": None}, "None is not planned"),
        ({"hidden_size": None}, "hidden_size is missing"),
        ({"vocab_size": "many"}, "vocab_size is 'many', which is no size"),
        ({"num_hidden_layers": 0}, "num_hidden_layers is 0"),
        ({"intermediate_size": True}, "intermediate_size is True"),
    ],
)
def test_what_is_no_model_of_ours_is_refused_with_its_file(tmp_path, change, said):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"model_type": "llama", **SMALL, **change}))
    with pytest.raises(ShapeError, match=said) as refusal:
        find_shape(str(tmp_path))
    assert str(path) in str(refusal.value)


def test_a_folder_without_a_config_and_a_broken_one_are_refused(tmp_path):
    with pytest.raises(ShapeError, match=r"config\.json"):
        find_shape(str(tmp_path))
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(ShapeError, match=r"config\.json: .*(Expecting|delimiter)"):
        find_shape(str(tmp_path))
    (tmp_path / "config.json").write_text("[1]")
    with pytest.raises(ShapeError, match="no JSON object"):
        find_shape(str(tmp_path))


def test_a_hub_that_does_not_answer_is_a_sentence(monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(ShapeError, match="no config.json of 'nobody/nothing': .*hub answers.*Name"):
        find_shape("nobody/nothing")


def test_a_name_that_can_be_no_name_is_a_sentence():
    with pytest.raises(ShapeError, match="hub answers: Repo id must"):
        find_shape("no such folder")
