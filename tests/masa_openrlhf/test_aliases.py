"""Names of 0.1.0, rules of a section, and flags that are nobody's."""

import json
import re
import tarfile
from pathlib import Path

import pytest
from masa_control import (
    AlignedStart,
    AuditedGateSettings,
    FixedStart,
    GateOff,
    HintsOff,
    PredictedHints,
    RecordedHints,
    StaticGateSettings,
)
from masa_openrlhf.config.aliases import (
    OLD_NAMES,
    RemovedSettingError,
    translate_settings,
    upgrade_settings,
)
from masa_openrlhf.config.layers import (
    ConfigError,
    apply_flags,
    build_config,
    read_saved_config,
)
from masa_openrlhf.config.rules import merge_settings
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.run.folder import RunFolder

DATA = Path(__file__).parents[2] / "docs" / "data"


@pytest.mark.parametrize(
    ("old", "new", "warning"),
    [
        (
            {"hints": {"template": "{problem}: {notions}"}},
            {"hints": {}, "solution": {"hint_template": "{problem}: {notions}"}},
            "hints.template is now solution.hint_template",
        ),
        (
            {"cutoff": {"cut_is": "wrong"}},
            {"cutoff": {}, "solution": {"cut_is": "wrong"}},
            "cutoff.cut_is is now solution.cut_is",
        ),
        (
            {"schedule": {"aligned": True, "recall": 0.5}},
            {"schedule": {"rule": "aligned", "recall": 0.5}},
            "schedule.aligned is now schedule.rule",
        ),
        ({"schedule": {"aligned": False}}, {"schedule": {"rule": "fixed"}}, "schedule.aligned"),
        ({"hints": {"enabled": True}}, {"hints": {"rule": "predicted"}}, "= 'predicted'"),
        (
            {"hints": {"enabled": True, "record": True}},
            {"hints": {"rule": "recorded"}},
            "= 'recorded'",
        ),
        ({"hints": {"enabled": False, "record": True}}, {"hints": {"rule": "off"}}, "= 'off'"),
        ({"optim": {"apart": False}}, {"optim": {}}, "optim.apart is gone"),
        ({"gate": {"count_skipped": True}}, {"gate": {}}, "gate.count_skipped is gone"),
        ({"log": {"timeline": False}}, {"log": {}}, "log.timeline is gone"),
    ],
)
def test_an_old_name_is_taken_with_a_warning_that_names_the_new_one(old, new, warning):
    before = json.dumps(old)
    found = translate_settings(old)
    assert found.settings == new
    (said,) = found.warnings
    assert warning in said
    assert json.dumps(old) == before
    build_config({"mode": "masa-efficient", **old})


def test_every_old_name_is_tried_above():
    (cases,) = (
        mark.args[1]
        for mark in test_an_old_name_is_taken_with_a_warning_that_names_the_new_one.pytestmark
    )
    tried = {f"{s}.{n}" for old, *_ in cases for s, values in old.items() for n in values}
    assert tried >= set(OLD_NAMES)


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [("optim", "apart", True), ("gate", "count_skipped", False), ("log", "timeline", True)],
)
def test_what_is_gone_is_refused_where_it_would_change_something(section, name, value):
    with pytest.raises(RemovedSettingError, match=f"{section}.{name} = {value} is not possible"):
        translate_settings({section: {name: value}})
    with pytest.raises(ConfigError, match="is the last that has it"):
        build_config({section: {name: value}})
    flag = f"--{section}.{'' if value else 'no-'}{name.replace('_', '-')}"
    with pytest.raises(ConfigError, match="is the last that has it"):
        apply_flags(TrainConfig(), [flag])


@pytest.mark.parametrize(
    ("flags", "section", "value"),
    [
        (["--hints.enabled"], "hints", PredictedHints()),
        (["--hints.enabled", "--hints.record", "--hints.min-seen", "9"], "hints", None),
        (["--hints.enabled", "True"], "hints", PredictedHints()),
        (["--hints.no-enabled"], "hints", HintsOff()),
        (["--schedule.aligned", "--schedule.steps=3"], "schedule", AlignedStart(steps=3)),
        (["--schedule.no-aligned", "--schedule.start=9"], "schedule", FixedStart(start=9)),
    ],
)
def test_old_flags_are_taken_with_a_warning(capsys, flags, section, value):
    config = apply_flags(TrainConfig(), flags)
    assert getattr(config, section) == (value or RecordedHints(min_seen=9))
    assert re.search(f"{section}.* (is|are) now {section}.rule", capsys.readouterr().err)
    assert config.openrlhf == {}


def test_an_old_flag_with_a_value():
    assert apply_flags(TrainConfig(), ["--cutoff.cut-is", "wrong"]).solution.cut_is == "wrong"
    assert apply_flags(TrainConfig(), ["--cutoff.cut_is=wrong"]).solution.cut_is == "wrong"


def test_a_higher_layer_may_choose_another_rule():
    below = {"gate": {"rule": "audited", "precision": 0.8, "audit": 0.2}}
    static = merge_settings(below, {"gate": {"rule": "static", "max_std": 0.2}})
    assert static == {"gate": {"rule": "static", "max_std": 0.2, "audit": 0.2}}
    assert build_config(static).gate == StaticGateSettings(max_std=0.2, audit=0.2)
    same = merge_settings(below, {"gate": {"rule": "audited", "window": 9}})
    assert build_config(same).gate == AuditedGateSettings(precision=0.8, audit=0.2, window=9)
    assert merge_settings(below, {"gate": {"window": 9}})["gate"]["rule"] == "audited"
    assert build_config(merge_settings(below, {"gate": {"rule": "off"}})).gate == GateOff()


def test_a_setting_of_another_rule_is_refused_by_name():
    message = (
        r"gate.precision: belongs to gate.rule = audited, and the rule is 'static' \(got 0.8\)"
    )
    with pytest.raises(ConfigError, match=message):
        build_config({"gate": {"precision": 0.8}})
    with pytest.raises(ConfigError, match=r"gate.precision belongs to gate.rule = audited, and"):
        apply_flags(TrainConfig(), ["--gate.precision", "0.8"])
    with pytest.raises(
        ConfigError,
        match="gate.rule must be one of static, audited, threshold, choice, off, got 'x'",
    ):
        apply_flags(TrainConfig(), ["--gate.rule", "x"])
    with pytest.raises(ConfigError, match="'x'"):
        build_config({"gate": {"rule": "x"}})


@pytest.mark.parametrize(
    ("flag", "near"),
    [
        ("--gate.max-stt", "gate.max_std"),
        ("--gate.precison", "gate.precision"),
        ("--experts.bach", "experts.batch"),
    ],
)
def test_a_flag_that_is_nobodys_is_refused_with_the_nearest(flag, near):
    with pytest.raises(ConfigError, match=f"there is no setting .*; did you mean {near}?"):
        apply_flags(TrainConfig(), [flag, "1"])


def test_a_saved_configuration_is_read_back(tmp_path):
    flags = ["--mode", "masa-efficient", "--gate.rule", "audited", "--hints.rule", "recorded"]
    flags += ["--meta.notions.stop_words", "b", "a", "--cutoff.rule", "off"]
    config = apply_flags(TrainConfig(), flags)
    folder = RunFolder(tmp_path / "run")
    folder.create(config)
    text = folder.config.read_text("utf-8")
    assert json.loads(text)["format"] == 2
    assert json.loads(text)["meta"]["notions"]["stop_words"] == ["a", "b"]
    assert read_saved_config(text) == config


def old_configs():
    """Configurations of recorded runs of 0.1.0: there a section has the keys of all its rules."""
    for archive in sorted(DATA.glob("*.tar.xz")):
        with tarfile.open(archive) as runs:
            for member in runs:
                if member.name.endswith("config.json"):
                    yield member.name, json.load(runs.extractfile(member))


def test_configurations_of_recorded_runs_are_read():
    count = 0
    for name, settings in old_configs():
        gone = settings.get("optim", {}).get("apart") or not settings.get("gate", {}).get(
            "count_skipped", True
        )
        if gone:
            with pytest.raises(RemovedSettingError):
                upgrade_settings(settings)
            shown = upgrade_settings(settings, keep_removed=True)  # as a report shows them
            assert shown["optim"]["apart"] is settings["optim"]["apart"]
            continue
        config = read_saved_config(json.dumps(settings))
        assert config.mode == settings["mode"], name
        assert config.gate.rule == settings["gate"]["rule"]
        assert config.cutoff.rule == settings["cutoff"]["rule"]
        assert config.schedule.start == settings["schedule"]["start"]
        count += 1
    assert count > 20


def test_what_is_no_configuration_is_said():
    with pytest.raises(ConfigError, match=r"meta\.rolouts"):
        read_saved_config('{"meta": {"rolouts": 4}}')
    with pytest.raises(ConfigError, match="key must be a string"):
        read_saved_config("{nonsense")
