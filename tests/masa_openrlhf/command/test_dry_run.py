"""What a dry run prints is a configuration: read again, it is the same."""

import sys

import pytest
from masa_openrlhf.command.dry_run import render_dry_run
from masa_openrlhf.config import layers
from masa_openrlhf.config.presets import list_presets
from masa_openrlhf.config.toml_writer import render_toml, select_changes
from masa_openrlhf.config.tree import TrainConfig

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def read_back(config):
    text = render_dry_run(config, ["--actor.model", "x y"])
    return layers.build_config(tomllib.loads(text))


@pytest.mark.parametrize("preset", list_presets())
def test_a_preset_comes_back(preset):
    config = layers.build_config(layers.read_preset(preset))
    assert read_back(config) == config


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"gate": {"rule": "audited"}},
        {"gate": {"rule": "off"}, "cutoff": {"rule": "off"}},
        {"gate": {"rule": "audited", "window": 7}, "schedule": {"rule": "aligned"}},
        {"meta": {"prompt": {"wording": 'A "quoted" \\ {problem}\\ttab\x7f é \U0001d11e'}}},
        {"meta": {"rewards": ["length"]}, "openrlhf": {"ds.zero_stage": "3", "a.b": ["1", "2"]}},
        {"optim": {"lr": 1e-07}, "data": {"train": "x.jsonl"}},
    ],
)
def test_settings_come_back(settings):
    config = layers.build_config(settings)
    assert read_back(config) == config


def test_only_what_differs_is_written():
    assert render_toml(select_changes(TrainConfig())) == "\n"
    assert render_toml(select_changes(TrainConfig(seed=3, batch={"problems": 7}))) == (
        "seed = 3\n\n[batch]\nproblems = 7\n"
    )


def test_the_command_is_a_comment_that_can_be_pasted_without_it():
    text = render_dry_run(TrainConfig(), ["--a", "x y", "--b", "--c", "1", "2"])
    assert text.endswith(
        "# python -m openrlhf.cli.train_ppo_ray \\\n#   --a 'x y' \\\n#   --b \\\n#   --c 1 2\n"
    )
