"""Readers, waves and choice in a run's settings: what goes together, and what is refused."""

import pytest
from masa_control import (
    ChoiceSettings,
    DistributionReaderSettings,
    ProbeReaderSettings,
    SampledReaderSettings,
    WaveSettings,
    WordsReaderSettings,
)
from masa_openrlhf.config.layers import ConfigError, apply_flags, build_config
from masa_openrlhf.config.tree import TrainConfig

FREE = {
    "mode": "masa-efficient",
    "reader": {"rule": "words"},
    "meta": {"rollouts": 0},
    "cutoff": {"rule": "off"},
    "experts": {"batch": 0},
}


def test_the_paper_reads_sampled_predictions_and_makes_all_rollouts_at_once():
    config = build_config({"mode": "masa-efficient"})
    assert config.reader == SampledReaderSettings()
    assert (config.allocation.rule, config.counts_unmade) == ("off", False)


def test_a_run_may_make_no_prediction_at_all():
    config = build_config({**FREE, "gate": {"rule": "threshold", "low": 0.04, "refill": True}})
    assert config.reader == WordsReaderSettings()
    assert config.meta_rollouts == config.episode_settings().meta.rollouts == 0
    assert (config.clones, config.gate.low, config.refill_problems) == (0, 0.04, 4 * 128)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"cutoff": {"rule": "fixed"}}, r"cutoff\.rule = fixed \(set cutoff\.rule = off\)"),
        ({"experts": {"batch": 8}}, r"experts\.batch = 8 \(set experts\.batch = 0\)"),
        ({"hints": {"rule": "predicted"}}, r"hints\.rule = predicted \(set hints\.rule = off\)"),
        ({"reader": {"rule": "sampled"}}, r"meta\.rollouts must be at least 2, got 0"),
        ({"reader": {"rule": "distribution"}}, r"meta\.rollouts must be at least 2, got 0"),
        ({"mode": "masa"}, r"meta\.rollouts must be at least 2, got 0"),
        ({"meta": {"rollouts": 1}}, r"meta\.rollouts must be at least 2, got 1"),
    ],
)
def test_what_needs_predictions_is_refused_without_them(changes, told):
    with pytest.raises(ConfigError, match=told):
        build_config({**FREE, **changes})


def test_one_prediction_is_enough_for_its_distribution():
    config = build_config(
        {"mode": "masa-efficient", "reader": {"rule": "distribution"}, "meta": {"rollouts": 1}}
    )
    assert (config.meta_rollouts, config.reader) == (1, DistributionReaderSettings())
    with pytest.raises(ConfigError, match=r"meta\.prompt\.scale = 100 has numbers of several"):
        build_config(
            {
                "mode": "masa-efficient",
                "reader": {"rule": "distribution"},
                "meta": {"prompt": {"scale": 100}},
            }
        )


def test_a_group_must_be_able_to_stop():
    waves = {"allocation": {"rule": "waves"}, "solution": {"rollouts": 2}}
    with pytest.raises(
        ConfigError, match=r"begins with 2 rollouts.*solution\.rollouts = 2 is whol"
    ):
        build_config({"mode": "masa-efficient", **waves})
    assert build_config({"mode": "masa", **waves})  # where nothing decides, nothing is said
    config = build_config({**FREE, "allocation": {"rule": "waves", "waves": [2, 4]}})
    assert config.allocation == WaveSettings(waves=(2, 4))
    assert config.counts_unmade
    audited = {"gate": {"rule": "audited"}, "allocation": {"rule": "waves", "audit": 0.0}}
    with pytest.raises(ConfigError, match=r"with allocation\.audit = 0 it would see"):
        build_config({"mode": "masa-efficient", **audited})


def test_choice_draws_others_by_itself():
    config = build_config(
        {**FREE, "gate": {"rule": "choice", "draw": 3.0}, "batch": {"problems": 5}}
    )
    assert config.gate == ChoiceSettings(draw=3.0)
    assert (config.refill_problems, config.replaces, config.counts_skipped) == (30, True, False)


def test_flags_choose_rules_and_their_settings():
    flags = [
        *("--mode", "masa-efficient", "--reader.rule", "probe", "--reader.depths", "0.5", "0.75"),
        *(
            "--allocation.rule",
            "waves",
            "--allocation.waves",
            "2",
            "6",
            "--allocation.worth",
            "0.12",
        ),
    ]
    config = apply_flags(TrainConfig(), flags)
    assert config.reader == ProbeReaderSettings(depths=(0.5, 0.75))
    assert config.allocation == WaveSettings(waves=(2, 6), worth=0.12)
    with pytest.raises(ConfigError, match=r"reader\.depths belongs to reader\.rule = probe"):
        apply_flags(TrainConfig(), ["--reader.depths", "0.5"])
    with pytest.raises(
        ConfigError, match="reader.rule must be one of sampled, distribution, words"
    ):
        apply_flags(TrainConfig(), ["--reader.rule", "oracle"])
