"""A model that is named and no preset: settings by its size, never the toy's."""

import json

import pytest
from masa_openrlhf.cli import main
from masa_openrlhf.config.layers import ConfigError, build_config, read_preset
from masa_openrlhf.cpu.threads import choose_threads, count_cores
from masa_openrlhf.model.defaults import choose_defaults
from masa_openrlhf.model.layer import choose_base
from masa_openrlhf.plan.cards import find_card
from masa_openrlhf.plan.command import make_setup
from masa_openrlhf.plan.verdict import make_plan

SMOL = {
    "model_type": "llama",
    "hidden_size": 576,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "intermediate_size": 1536,
    "vocab_size": 49_152,
    "tie_word_embeddings": True,
    "max_position_embeddings": 8192,
}


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "smol"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(SMOL))
    return str(folder)


def test_on_a_cpu_a_small_model_gets_small_steps(model):
    chosen = choose_defaults(model, on_cpu=True, cores=2)
    config = build_config(chosen.settings)
    assert (config.batch.problems, config.solution.rollouts, config.meta.rollouts) == (4, 8, 4)
    assert (config.data.prompt_max_tokens, config.solution.max_tokens) == (512, 256)
    assert config.cluster.device == "cpu"
    assert "0.13 B parameters, context 8,192, on a CPU with 2 cores" in chosen.describe()
    assert "solution.max_tokens = 256" in chosen.describe()


def test_nothing_of_the_tiny_preset_is_left(model):
    config = build_config(choose_defaults(model, on_cpu=True).settings)
    tiny = build_config(read_preset("tiny"))
    assert config.solution.template != tiny.solution.template
    assert config.meta_prompt != tiny.meta_prompt
    assert config.mode == "masa"
    assert config.optim.lr < tiny.optim.lr / 10
    assert config.max_steps is None


def test_on_gpus_the_lengths_are_the_papers_as_far_as_the_context_goes(model):
    card = find_card("h100")
    chosen = choose_defaults(model, on_cpu=False, cards=[card])
    config = build_config(chosen.settings)
    assert (config.data.prompt_max_tokens, config.solution.max_tokens) == (2048, 6144)
    assert config.context_tokens == 8192
    assert config.cluster.gpus_per_node == 1
    assert make_plan(make_setup(config, card)).fits
    large = build_config(choose_defaults("Qwen/Qwen3-8B", on_cpu=False, cards=[card] * 8).settings)
    assert (large.data.prompt_max_tokens, large.solution.max_tokens) == (2048, 8192)
    assert large.meta.max_tokens == 4096
    assert large.batch.problems == 128
    assert make_plan(make_setup(large, card)).fits


def test_where_no_card_is_here_the_papers_placement_is_left():
    config = build_config(choose_defaults("Qwen/Qwen3-8B", on_cpu=False).settings)
    assert config.cluster.gpus_per_node == 8


def test_a_model_of_unknown_kind_is_taken_by_the_size_of_its_files(tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "gemma3_text"}')
    with (tmp_path / "model.safetensors").open("wb") as file:
        file.truncate(3 * 10**9)
    chosen = choose_defaults(str(tmp_path), on_cpu=True)
    assert "1.50 B parameters, unknown context" in chosen.reason
    assert chosen.settings["batch"]["problems"] == 2
    assert chosen.settings["cluster"]["gradient_checkpointing"]


def test_files_and_flags_go_over_it(model, capsys, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text("[solution]\nmax_tokens = 300\nrollouts = 6\n")
    argv = ["train", "--config", str(file), "--model.path", model, "--data.train", "d.jsonl"]
    argv += ["--cluster.device=cpu", "--solution.rollouts", "5", "--dry-run", "--json"]
    with pytest.raises(SystemExit):
        main(argv)
    captured = capsys.readouterr()
    config = json.loads(captured.out)["config"]
    assert config["solution"]["max_tokens"] == 300
    assert config["solution"]["rollouts"] == 5
    assert config["meta"]["max_tokens"] == 128
    assert config["solution"]["template"] == build_config({}).solution.template
    assert "no preset: settings for a model of 0.13 B" in captured.err


@pytest.mark.parametrize(
    ("above", "flags", "said"),
    [
        ({}, ["--data.train", "x.jsonl"], "data.train is 'x.jsonl', and no model is named"),
        ({}, ["--model.path=m"], "model.path is 'm', and no problems are named"),
        ({"model": {"path": "m"}}, [], "no problems are named"),
        ({"data": {"train": "x"}}, ["--seed", "1"], "no model is named"),
    ],
)
def test_a_model_without_data_and_data_without_a_model_are_refused(above, flags, said):
    with pytest.raises(ConfigError, match=said):
        choose_base(None, above, flags)


def test_with_nothing_named_it_is_the_tiny_one_and_a_preset_is_a_preset():
    assert choose_base(None, {}, ["--seed", "3"]) == (read_preset("tiny"), "")
    assert choose_base(None, {"seed": 3}, []) == ({}, "")
    named = ["--data.train", "x.jsonl"]
    assert choose_base("tiny", {}, named) == (read_preset("tiny"), "")


def test_threads_are_one_for_a_tiny_model_and_all_cores_for_a_real_one(tmp_path, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    weights = tmp_path / "model.safetensors"
    for size, threads in ((500_000, 1), (270_000_000, count_cores())):
        with weights.open("wb") as file:
            file.truncate(size)
        assert choose_threads(str(tmp_path), 1) == threads
    assert choose_threads(str(tmp_path), 10_000) == 1
    assert choose_threads(None, 1) == 1
    assert choose_threads("some/model", 1) == count_cores()
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert choose_threads(None, 1) == choose_threads("some/model", 2) == 3
