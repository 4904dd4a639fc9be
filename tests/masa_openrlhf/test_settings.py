import pytest
from masa_control import (
    AlignedStart,
    AuditedGateSettings,
    CalibratedCutoffSettings,
    CutoffOff,
    ExpertSettings,
    FixedCutoffSettings,
    FixedStart,
    GateOff,
    HintsOff,
    RecordedHints,
    StaticGateSettings,
    StepWeights,
)
from masa_openrlhf import tiny
from masa_openrlhf.arguments.parse import OpenRLHFArgumentError
from masa_openrlhf.config.layers import (
    ConfigError,
    apply_flags,
    build_config,
    read_preset,
    read_toml,
)
from masa_openrlhf.config.presets import list_presets
from masa_openrlhf.config.rules import merge_settings
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.tiny import wording
from masa_rewards import NotionRules
from masa_rewards.notions.phrases import to_phrase


def test_the_defaults_are_the_papers():
    config = TrainConfig()
    assert (config.solution.rollouts, config.meta.rollouts) == (16, 8)
    assert (config.batch.problems, config.optim.lr, config.optim.warmup_steps) == (128, 1e-6, 20)
    assert (config.optim.clip_low, config.optim.clip_high) == (0.2, 0.28)
    assert (config.optim.weight_decay, config.optim.max_norm) == (0.1, 1.0)
    assert (config.data.prompt_max_tokens, config.solution.max_tokens) == (2048, 8192)
    assert (config.sampling.temperature, config.sampling.top_p) == (1.0, 1.0)
    assert config.meta.difficulty_base == 0.01
    prompt = config.meta_prompt
    assert (prompt.scale, prompt.min_length, prompt.max_length) == (8, 128, 8192)


@pytest.mark.parametrize("name", list_presets())
@pytest.mark.parametrize("algorithm", ["grpo", "dapo", "dr_grpo"])
def test_every_preset_is_a_configuration(name, algorithm):
    config = apply_flags(build_config(read_preset(name)), ["--algorithm", algorithm])
    assert config.algorithm == algorithm
    assert TrainConfig.model_validate_json(config.model_dump_json()) == config


def test_there_are_these_presets():
    sizes = ["0.6b", "1.7b", "14b", "4b", "8b"]
    assert list_presets() == [*(f"qwen3-{size}" for size in sizes), "smollm2-135m", "tiny"]
    with pytest.raises(ConfigError, match="no preset 'qwen'; there are qwen3-0.6b"):
        read_preset("qwen")


def test_the_tiny_preset_asks_as_the_tiny_model_was_taught():
    config = build_config(read_preset("tiny"))
    assert config.solution.template == tiny.SOLUTION_TEMPLATE
    assert config.meta.prompt.wording == tiny.META_TEMPLATE
    assert config.meta.prompt.scale == tiny.PASS_RATE_SCALE
    assert config.meta.prompt.min_length == tiny.MIN_LENGTH
    assert config.solution.max_tokens == tiny.MAX_LENGTH == tiny.MAX_SOLUTION_TOKENS
    assert config.meta.max_tokens == tiny.MAX_META_TOKENS
    assert config.data.prompt_max_tokens == tiny.MAX_PROMPT_TOKENS


def test_the_tiny_preset_trains_as_the_tiny_model_was_tuned():
    config = build_config(read_preset("tiny"))
    assert config.max_steps == wording.STEPS
    assert config.batch.problems == wording.PROBLEMS_A_STEP
    assert config.solution.rollouts == wording.SOLUTIONS_A_PROBLEM
    assert config.meta.rollouts == wording.PREDICTIONS_A_PROBLEM
    assert config.optim.lr == wording.LEARNING_RATE


def test_file_over_preset_flags_over_file(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('seed = 3\n[meta]\nrollouts = 4\n[openrlhf]\n"ds.overlap_comm" = true\n')
    found = merge_settings(read_preset("tiny"), read_toml(file))
    config = apply_flags(build_config(found), ["--meta.rollouts", "6", "--seed", "5"])
    assert (config.meta.rollouts, config.seed) == (6, 5)
    assert config.meta.max_tokens == 32  # the preset's, untouched
    assert config.openrlhf == {"ds.overlap_comm": True}


def test_flags_that_are_not_ours_are_openrlhfs():
    flags = ["--ds.zero_stage", "3", "--actor.adam.betas", "0.9", "0.99", "--ds.packing_samples"]
    assert apply_flags(TrainConfig(), flags).openrlhf == {
        "ds.zero_stage": "3",
        "actor.adam.betas": ["0.9", "0.99"],
        "ds.packing_samples": True,
    }
    with pytest.raises(OpenRLHFArgumentError, match="'stray' belongs to no flag"):
        apply_flags(TrainConfig(), ["stray"])


def test_the_gate_may_be_audited_more_at_the_trivial_end():
    config = build_config({"mode": "masa-efficient", "gate": {"audit_trivial": 0.25}})
    assert config.gate.audit_trivial == 0.25
    assert build_config({"mode": "masa-efficient"}).gate.audit_trivial is None
    with pytest.raises(ConfigError, match=r"gate\.audit is 0\.0 and gate\.audit_trivial 0\.25"):
        build_config({"mode": "masa-efficient", "gate": {"audit": 0.0, "audit_trivial": 0.25}})


def test_warm_up_is_counted_in_steps_whatever_they_are_made_of():
    efficient = {"mode": "masa-efficient", "schedule": {"start": 16}, "experts": {"passes": 2}}
    assert build_config({"mode": "grpo"}).optimiser_steps(20) == 20
    assert build_config(efficient).optimiser_steps(10) == 30
    assert build_config(efficient).optimiser_steps(20) == 20 + 2 * 16
    twice = build_config({**efficient, "optim": {"updates_per_step": 2}})
    assert twice.optimiser_steps(20) == 2 * 20 + 2 * 16


def test_what_weighs_how_much_before_and_after_predictions_decide():
    settings = {"meta": {"weight": 0.5}, "schedule": {"meta_weight": 0.25}}
    config = build_config({"mode": "masa-efficient", **settings})
    assert config.step_weights(decides=False) == StepWeights(0.5, 0.1)
    assert config.step_weights(decides=True) == StepWeights(0.25, 0.1)


def test_skipped_problems_count_in_the_loss_where_nothing_takes_their_places():
    assert build_config({"mode": "masa-efficient"}).counts_skipped
    for otherwise in ({"mode": "masa"}, {"gate": {"refill": True}}, {"algorithm": "dapo"}):
        assert not build_config({"mode": "masa-efficient", **otherwise}).counts_skipped


def test_skipped_problems_are_replaced_in_masa_efficient_alone():
    refill = {"gate": {"refill": True, "refill_limit": 3}, "batch": {"problems": 5}}
    assert build_config({"mode": "masa-efficient", **refill}).refill_problems == 15
    assert build_config({"mode": "masa", **refill}).refill_problems is None
    assert build_config({"mode": "masa-efficient"}).refill_problems is None
    off = {"mode": "masa-efficient", "gate": {"rule": "off"}}
    assert build_config(off).refill_problems is None


def test_unknown_settings_and_bad_values_are_named(tmp_path):
    with pytest.raises(ConfigError, match=r"meta\.rolouts"):
        build_config({"meta": {"rolouts": 4}})
    with pytest.raises(ConfigError, match=r"meta\.rollouts must be at least 2, got 1"):
        build_config({"meta": {"rollouts": 1}})
    with pytest.raises(ConfigError, match=r"checkpoint\.keep"):
        build_config({"checkpoint": {"keep": 1}})
    with pytest.raises(ConfigError, match=r"\{problem\} exactly once"):
        build_config({"solution": {"template": "Solve it."}})
    with pytest.raises(ConfigError, match="exactly once"):
        build_config({"meta": {"prompt": {"wording": "Predict."}}})
    with pytest.raises(ConfigError, match="must be below"):
        build_config({"solution": {"max_tokens": 100}})
    with pytest.raises(ConfigError, match="cannot be read"):
        read_toml(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("a = = 1")
    with pytest.raises(ConfigError, match="is not TOML"):
        read_toml(tmp_path / "bad.toml")


def test_the_baseline_plays_no_meta_rollouts():
    assert TrainConfig(mode="grpo").episode_settings().meta.rollouts == 0
    assert TrainConfig().episode_settings().meta.rollouts == 8


def test_the_rewards_that_count_reach_the_episode():
    assert TrainConfig().episode_settings().meta.rewards == ("length", "difficulty", "notion")
    one = build_config({"meta": {"rewards": ["difficulty"]}})
    assert one.episode_settings().meta.rewards == ("difficulty",)
    with pytest.raises(ConfigError, match="no prediction would earn anything"):
        build_config({"meta": {"rewards": []}})


def test_the_notion_rules_reach_the_episode():
    assert TrainConfig().episode_settings().meta.notions == NotionRules()
    flags = ["--meta.notions.counting", "rate", "--meta.notions.stop_list", "english"]
    flags += ["--meta.notions.stop_words", "answer", "step", "--meta.notions.min_length", "3"]
    rules = apply_flags(TrainConfig(), flags).episode_settings().meta.notions
    assert rules == NotionRules(
        counting="rate", min_length=3, stop_list="english", stop_words={"answer", "step"}
    )
    assert not rules.admit(to_phrase("the answer"))
    assert rules.admit(to_phrase("parity"))


def test_only_masa_efficient_decides_by_predictions():
    assert TrainConfig().control is None
    assert TrainConfig(mode="grpo").control is None
    assert TrainConfig().clones == TrainConfig().clone_passes == 0


def test_the_decisions_are_the_papers_by_default():
    config = TrainConfig(mode="masa-efficient")
    assert config.control is config
    # Audits are ours: without them the precision of the gate is unknown.
    assert config.gate == StaticGateSettings(
        max_std=0.1, tolerance=0.0, min_readable=0.5, audit=0.05
    )
    assert config.cutoff == FixedCutoffSettings(margin=2.0, audit=0.05)
    assert (config.schedule, config.hints) == (FixedStart(start=80), HintsOff())
    assert config.experts == ExpertSettings()
    assert config.solution.cut_is == "unknown"


def test_every_decision_can_be_set_and_turned_off():
    flags = [
        *("--mode", "masa-efficient"),
        *("--gate.rule", "audited", "--gate.precision", "0.95", "--gate.window", "64"),
        *("--gate.caution", "2", "--gate.max-distance", "0.25", "--gate.min-readable", "0.75"),
        *("--cutoff.rule=calibrated", "--cutoff.cut-share", "0.1", "--cutoff.window", "32"),
        *("--cutoff.min-problems", "4", "--solution.cut-is", "wrong"),
        *("--experts.batch", "16", "--experts.threshold", "0.3", "--experts.max-age", "5"),
        *("--experts.capacity", "100"),
        *("--hints.rule", "recorded", "--hints.max-notions", "2", "--hints.min-seen", "9"),
        *("--schedule.rule", "aligned", "--schedule.start", "7", "--schedule.precision", "0.7"),
        *("--schedule.recall", "0.2", "--schedule.steps", "3"),
    ]
    config = apply_flags(TrainConfig(), flags)
    assert config.gate == AuditedGateSettings(
        precision=0.95, caution=2.0, window=64, max_distance=0.25, min_readable=0.75
    )
    assert config.cutoff == CalibratedCutoffSettings(cut_share=0.1, window=32, min_problems=4)
    assert config.experts == ExpertSettings(batch=16, threshold=0.3, capacity=100, max_age=5)
    assert config.clones == 16
    assert config.hints == RecordedHints(max_notions=2, min_seen=9)
    assert config.schedule == AlignedStart(start=7, precision=0.7, recall=0.2, steps=3)
    settings = config.episode_settings()
    assert settings.solution.cut_is == "wrong"
    assert settings.count_notions
    assert not TrainConfig(mode="grpo").episode_settings().count_notions
    flags = ["--gate.rule", "off", "--cutoff.rule", "off", "--experts.batch", "0"]
    off = apply_flags(config, flags)
    assert (off.gate, off.cutoff, off.clones) == (GateOff(), CutoffOff(), 0)
    assert off.schedule == config.schedule


def test_a_hint_needs_both_of_its_places():
    with pytest.raises(ConfigError, match=r"hint_template must hold \{notions\} exactly once"):
        build_config({"solution": {"hint_template": "{problem}"}})


class Sign:
    """A signal of one's own."""

    key = "sign"
    asked = "+ or -"
    weight = 0.5

    def read(self, value):
        return value if value in ("+", "-") else None

    def reward(self, prediction, group, answer):
        return float(answer.startswith("-") == (prediction == "-"))


def test_a_signal_is_named_asked_for_and_paid():
    config = TrainConfig(meta={"signals": ("tests.masa_openrlhf.test_settings:Sign",)})
    assert '"sign": + or -' in config.meta_prompt.render("2 - 3?")
    (signal,) = config.episode_settings().signals
    assert (signal.key, signal.weight) == ("sign", 0.5)
    with pytest.raises(ConfigError, match=r"'nowhere:Sign' cannot be loaded"):
        build_config({"meta": {"signals": ["nowhere:Sign"]}})
    tiny_one = merge_settings(
        read_preset("tiny"), {"meta": {"signals": ["tests.masa_openrlhf.test_settings:Sign"]}}
    )
    with pytest.raises(ConfigError, match=r"wording must hold '\{extra\}'"):
        build_config(tiny_one)


def test_how_many_steps_a_run_takes():
    def steps(problems, **settings):
        return build_config({"batch": {"problems": 5}, **settings}).steps(problems)

    assert steps(40) == 8
    assert steps(41) == 9  # the last one smaller
    assert steps(40, epochs=2) == 16
    assert steps(40, max_steps=3) == 3
    assert steps(40, max_steps=30) == 8
    # Where problems are replaced a pass has fewer: the number is a bound, or what is set.
    assert steps(40, algorithm="dapo") == 8
    assert steps(40, algorithm="dapo", max_steps=30) == 30
    refilled = {"mode": "masa-efficient", "gate": {"refill": True}}
    assert steps(40, **refilled, max_steps=30) == 30
    assert steps(40, gate={"refill": True}, max_steps=30) == 8  # nothing is skipped in mode masa
