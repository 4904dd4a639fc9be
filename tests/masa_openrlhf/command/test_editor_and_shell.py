"""What editors and shells complete our settings by."""

import json
import subprocess

import jsonschema
import pytest
from masa_openrlhf.command.completion import render_completion
from masa_openrlhf.command.presets import read_preset_text, render_presets
from masa_openrlhf.command.schema import render_schema
from masa_openrlhf.config.layers import read_preset
from masa_openrlhf.config.presets import list_presets

COMMANDS = ["train", "eval", "presets"]


@pytest.fixture(scope="module")
def schema():
    found = json.loads(render_schema())
    jsonschema.Draft202012Validator.check_schema(found)
    return found


@pytest.mark.parametrize("preset", list_presets())
def test_the_schema_takes_every_preset(schema, preset):
    jsonschema.validate(read_preset(preset), schema)


@pytest.mark.parametrize(
    "wrong",
    [
        {"batch": {"problmes": 3}},
        {"seed": "x"},
        {"mode": "maza"},
        {"gate": {"rule": "off", "audit": 1}},
    ],
)
def test_the_schema_refuses_what_we_refuse(schema, wrong):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, schema)


def test_the_schema_explains_a_setting(schema):
    assert "M, predictions a problem." in json.dumps(schema)


def complete(*words):
    """What bash offers for the last word."""
    script = render_completion("bash", COMMANDS)
    typed = " ".join(f"'{word}'" for word in words)
    ended = subprocess.run(
        [
            "bash",
            "-c",
            f"{script}\nCOMP_WORDS=({typed})\nCOMP_CWORD={len(words) - 1}\n"
            "_masa_openrlhf\nprintf '%s\\n' \"${COMPREPLY[@]}\"",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    return ended.stdout.split()


def test_bash_completes_commands_flags_presets_and_files(tmp_path):
    assert complete("masa-openrlhf", "tr") == ["train"]
    assert complete("masa-openrlhf", "train", "--meta.roll") == ["--meta.rollouts"]
    assert "--gate.precision" in complete("masa-openrlhf", "train", "--gate.")
    assert complete("masa-openrlhf", "train", "--preset", "ti") == ["tiny"]
    assert complete("masa-openrlhf", "presets", "show", "qwen3-8") == ["qwen3-8b"]
    assert complete("masa-openrlhf", "eval", "--benchm") == ["--benchmarks"]
    assert complete("masa-openrlhf", "warmup", "--warmup.ep") == ["--warmup.epochs"]
    (tmp_path / "mine.toml").touch()
    assert complete("masa-openrlhf", "train", "--config", f"{tmp_path}/mi") == [
        f"{tmp_path}/mine.toml"
    ]


def test_zsh_and_fish_have_the_same_flags():
    assert render_completion("zsh", COMMANDS).endswith(render_completion("bash", COMMANDS))
    fish = render_completion("fish", COMMANDS)
    assert (
        "complete -c masa-openrlhf -n '__fish_seen_subcommand_from train' -l meta.rollouts" in fish
    )


def test_presets_are_told_apart_and_shown_with_their_comments():
    lines = render_presets()
    for name in list_presets():
        assert f"\n{name} " in f"\n{lines}"
    assert "The paper's recipe for Qwen3-8B-Base (section 4): one node" in " ".join(lines.split())
    assert read_preset_text("tiny").startswith("#")
