"""``masa-openrlhf plan``, and ``train``'s refusal of what cannot fit."""

import json
from dataclasses import asdict

import pytest
from masa_openrlhf.cli import main
from masa_openrlhf.command.invocation import format_command
from masa_openrlhf.plan.cards import find_card
from masa_openrlhf.plan.shapes import SHAPES


def run(capsys, *argv):
    status = 0
    try:
        main(list(argv))
    except SystemExit as end:
        status = end.code
    captured = capsys.readouterr()
    return status, " ".join(captured.out.split()), captured.err


def test_a_plan_of_the_papers_recipe(capsys):
    argv = ["plan", "--preset", "qwen3-8b", "--gpus", "8", "--gpu-memory-gib", "80"]
    status, out, _ = run(capsys, *argv)
    assert status == 0
    for said in (
        "Qwen/Qwen3-8B-Base: 8.19 B parameters on 1 x 8 H100 80 GB, 8 engines of 1 GPU, ZeRO 3",
        "generate 17.2",
        "digest 17.2",
        "tokens of KV cache",
        "in /dev/shm",
        "GB a checkpoint",
        "a step, modelled:",
        "assumed: solutions of 6,251 tokens, predictions of 2,293, prompts of 256",
        "Nothing here was measured on a GPU",
        "fits: ",
    ):
        assert said in out


def test_what_does_not_fit_ends_with_status_1_and_a_way_out(capsys):
    status, out, _ = run(capsys, "plan", "--preset", "qwen3-8b", "--gpus", "2")
    assert status == 1
    assert "does not fit: train: " in out
    assert f"it fits on 4 of these GPUs: {format_command('plan', '--gpus', '4', '--fit')}" in out


def test_fitted_settings_are_flags_that_train_takes(capsys):
    argv = ["plan", "--preset", "qwen3-8b", "--gpus", "4", "--fit"]
    status, out, _ = run(capsys, *argv)
    assert status == 0
    flags = out.rpartition("settings: ")[2].split()
    again = ["plan", "--preset", "qwen3-8b", "--gpus", "4", *flags, "--fit"]
    status, out, _ = run(capsys, *again)
    assert (status, out.rpartition("settings: ")[2]) == (0, "as they are")
    dry = ["train", "--preset", "qwen3-8b", "--cluster.gpus-per-node", "4", *flags, "--dry-run"]
    assert run(capsys, *dry)[0] == 0


def test_json_has_bytes_and_seconds(capsys):
    status, out, _ = run(capsys, "plan", "--preset", "qwen3-4b", "--card", "h200", "--json")
    found = json.loads(out)
    assert (status, found["fits"], found["faults"]) == (0, True, [])
    assert found["card"]["name"] == "H200 141 GB"
    assert found["model"]["parameters"] == 4_022_468_096
    assert list(found["gpu_bytes"]) == ["generate", "score", "train", "digest", "resume"]
    for phase in found["gpu_bytes"].values():
        parts = ("parameters", "gradients", "optimiser", "activations", "logits", "cache", "other")
        assert phase["total"] == pytest.approx(sum(phase[part] for part in parts))
    assert found["step_seconds"]["total"] == pytest.approx(
        sum(found["step_seconds"][part] for part in ("generate", "score", "train", "move"))
    )


def test_lengths_that_were_measured_take_the_place_of_assumed_ones(capsys):
    _, short, _ = run(capsys, "plan", "--preset", "qwen3-8b", "--json", "--solution-tokens", "1000")
    _, usual, _ = run(capsys, "plan", "--preset", "qwen3-8b", "--json")
    short, usual = json.loads(short), json.loads(usual)
    assert short["lengths"]["solution"] == 1000
    assert short["step_seconds"]["train"] < usual["step_seconds"]["train"] / 2


def test_a_folder_with_a_config_json_alone_is_planned(capsys, tmp_path):
    written = {
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
    (tmp_path / "config.json").write_text(json.dumps(written))
    argv = ["plan", "--preset", "qwen3-0.6b", "--model.path", str(tmp_path), "--card", "rtx-4090"]
    status, out, _ = run(capsys, *argv)
    assert status == 0
    assert "0.13 B parameters on 1 x 1 RTX 4090 24 GB" in out


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "no model is named"),
        (["--preset", "qwen3-8b", "--gpus", "12"], "use 1 to 8, or whole nodes of eight"),
        (["--preset", "qwen3-8b", "--gpus", "0"], "use 1 to 8, or whole nodes of eight"),
        (["--preset", "qwen3-8b", "--card", "tpu"], "there is no card 'tpu'"),
        (["--preset", "qwen3-8b", "--gpu-memory-gib", "0"], "above 0 GiB"),
        (["--preset", "qwen3-8b", "--ds.zpg", "2"], "ds.zpg 2"),
        (["--preset", "qwen3-8b", "--ds.adam_ofload"], "did you mean --ds.adam_offload"),
        (["--preset", "qwen3-8b", "--solution-tokens", "-5"], "--solution-tokens"),
        (["--preset", "qwen3-8b", "--prediction-tokens", "99999"], "--prediction-tokens"),
    ],
)
def test_a_mistake_is_a_sentence(capsys, argv, said):
    status, _, err = run(capsys, "plan", *argv)
    assert status == 2
    assert said in err


def test_help_names_the_cards(capsys):
    status, out, _ = run(capsys, "plan", "--help")
    assert status == 0
    assert "rtx-4090, a100-40gb" in out


@pytest.fixture
def card_40gb(monkeypatch):
    """This machine has the stack, and one card of 40 GB."""
    monkeypatch.setattr("masa_openrlhf.run.devices.require_stack", lambda config: None)
    monkeypatch.setattr(
        "masa_openrlhf.plan.command.find_local_card", lambda: find_card("a100-40gb")
    )
    started = []
    monkeypatch.setattr(
        "masa_openrlhf.run.supervision.supervise_run",
        lambda folder, config, resume: started.append(config) or 1,
    )
    return started


def test_train_refuses_what_cannot_fit_and_leaves_no_folder(capsys, tmp_path, card_40gb):
    runs = tmp_path / "runs"
    argv = ["train", "--preset", "qwen3-4b", "--runs", str(runs)]
    status, _, err = run(capsys, *argv)
    assert status == 2
    assert "train: " in err
    assert "it fits on 4 of these GPUs" in err
    assert "--force starts the run all the same" in err
    assert not runs.exists()
    assert not card_40gb


def test_force_starts_it_all_the_same(capsys, tmp_path, card_40gb):
    sizes = asdict(SHAPES["Qwen/Qwen3-4B"])
    names = {"hidden": "hidden_size", "layers": "num_hidden_layers", "heads": "num_attention_heads"}
    names |= {"key_heads": "num_key_value_heads", "intermediate": "intermediate_size"}
    names |= {"vocabulary": "vocab_size", "head": "head_dim", "tied": "tie_word_embeddings"}
    config = {"model_type": "qwen3", **{theirs: sizes[ours] for ours, theirs in names.items()}}
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text(json.dumps(config))
    for name in ("tokenizer.json", "model.safetensors"):
        (model / name).write_text("{}")
    data = tmp_path / "data.jsonl"
    data.write_text('{"problem": "1 + 1?", "answer": "2"}\n')
    argv = ["train", "--preset", "qwen3-4b", "--model.path", str(model), "--data.train", str(data)]
    argv += ["--runs", str(tmp_path / "runs")]
    assert run(capsys, *argv)[0] == 2
    argv += ["--force"]
    assert run(capsys, *argv)[0] == 1
    assert [config.cluster.check_memory for config in card_40gb] == [False]
