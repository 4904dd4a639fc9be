"""The comparison of the modes: its task, its arms, and what is read off its runs."""

import random
import re

import pytest
from masa_benchmarks.comparison import command, running
from masa_benchmarks.comparison.ablations import ABLATIONS, NO_DECISIONS_AT_RATES
from masa_benchmarks.comparison.arms import ARMS, BASE, TUNING, make_random_gate, shorten_arm
from masa_benchmarks.comparison.command import EVERY_ARM
from masa_benchmarks.comparison.demonstrations import (
    META_TEMPLATE,
    SOLUTION_TEMPLATE,
    write_meta_demo,
    write_solution_demo,
)
from masa_benchmarks.comparison.policy import ComparisonAssets
from masa_benchmarks.comparison.prediction_tables import (
    list_confident_pass_rates,
    tabulate_calibration,
    tabulate_learning,
    tabulate_reliability,
)
from masa_benchmarks.comparison.pretrained import PRETRAINED_ARMS, write_rows
from masa_benchmarks.comparison.reading import (
    accuracy_after_tokens,
    compare_cost,
    curve_over_groups,
    maximum_drawdown,
    oracle_gate_curve,
    paired_differences,
    truncate_run,
)
from masa_benchmarks.comparison.running import (
    Job,
    find_job_folder,
    find_run_folder,
    is_finished,
    list_changed_settings,
)
from masa_benchmarks.comparison.schedule import run_jobs
from masa_benchmarks.comparison.tables import (
    _find_half_batch,
    _format_cost_cell,
    _is_dynamic_sampling,
    _tabulate_checks,
    _tabulate_final_accuracy,
    _tabulate_groups,
    _tabulate_seeds,
    format_cost,
)
from masa_benchmarks.comparison.task import RANGES, make_problems
from masa_control import PredictiveGate, Problem
from masa_openrlhf.config.layers import build_config, read_preset
from masa_openrlhf.config.rules import merge_settings
from masa_openrlhf.config.sections import DataConfig
from masa_openrlhf.data.problems import LoadedProblems, load_problems
from masa_openrlhf.report.analysis.curves import Curve
from masa_openrlhf.report.runs import RecordedRun, held_out_curve
from masa_openrlhf.warmup.worked_solutions import read_worked_solutions


def boxed(text):
    return int(re.search(r"boxed\{(\d+)\}", text)[1])


def test_what_is_known_is_right_and_what_is_unknown_never_is():
    rng = random.Random(0)
    share = {}
    for kind in ("trivial", "learnable", "unsolvable"):
        problems = make_problems(200, 1, kinds=[kind])
        right = [
            boxed(write_solution_demo(p, rng)) == int(p.answer) for p in problems for _ in range(4)
        ]
        share[kind] = sum(right) / len(right)
    assert share["trivial"] == 1
    assert 0.2 < share["learnable"] < 0.6
    assert share["unsolvable"] == 0


def test_wrong_ranges_are_noticed_and_said_again():
    rng = random.Random(0)
    for problem in make_problems(100, 2):
        text = write_solution_demo(problem, rng)
        kept = re.findall(r"(\d) (\w+) fits", text)
        assert [name for _, name in kept] == [name.range for name in problem.names]
        assert all(int(value) in RANGES[name] for value, name in kept)


def test_a_problem_comes_up_once_and_what_is_held_out_never():
    held = {p.problem for p in make_problems(100, 1)}
    problems = [p.problem for p in make_problems(500, 0, exclude=held)]
    assert len(set(problems)) == 500
    assert not held & set(problems)
    assert problems == [p.problem for p in make_problems(500, 0, exclude=held)]


@pytest.mark.filterwarnings("ignore:The pynvml package is deprecated:FutureWarning")
def test_the_tokenizer_knows_every_word_and_gives_texts_back():
    pytest.importorskip("transformers")
    from masa_benchmarks.comparison.tokenizer import make_tokenizer

    tokenizer, rng = make_tokenizer(), random.Random(3)
    for problem in make_problems(200, 7):
        for text in (
            SOLUTION_TEMPLATE.format(problem=problem.problem),
            META_TEMPLATE.format(problem=problem.problem),
            write_solution_demo(problem, rng),
            write_meta_demo(rng),
        ):
            ids = tokenizer(text, add_special_tokens=False)["input_ids"]
            assert tokenizer.unk_token_id not in ids
            assert tokenizer.decode(ids) == text


def test_a_demonstrated_prediction_is_read():
    config = build_config(merge_settings(BASE, ARMS[-1].settings))
    read = config.meta_prompt.parse(write_meta_demo(random.Random(0)))
    assert read.pass_rate is not None
    assert read.length is not None
    assert read.notions


def test_every_arm_is_a_configuration_and_no_two_are_alike():
    rates = (*TUNING, *NO_DECISIONS_AT_RATES)
    changed = [str(arm.settings) for arm in EVERY_ARM if arm not in rates]
    assert len(set(changed)) == len(changed)
    assert len({arm.name for arm in EVERY_ARM}) == len(EVERY_ARM)
    # A gate leaves tokens for more steps; dynamic sampling draws more than it keeps.
    longer = {
        "masa-efficient": 1440,
        "dapo": 640,
        "dapo-8": 640,
        "refilled-4": 1440,
        "refilled-8": 1440,
    }
    longer |= {"round-13": 1440, "refilled-2": 1440, "refilled-4-looked-half": 1440}
    for arm in EVERY_ARM:
        if arm.task != "sums":
            continue
        config = build_config(arm.whole)
        rolled_out = config.max_steps * config.batch.problems
        name = arm.name.split("-0.")[0]  # without a learning rate
        assert rolled_out == longer.get(name, 1280), arm.name
        assert config.max_steps % config.eval.every == 0
    assert {arm.settings["batch"]["problems"] for arm in (*ARMS, *ABLATIONS)} == {2, 4}
    assert len(ABLATIONS) == 13


def test_the_arms_on_a_pretrained_model_are_the_presets_but_for_their_mode():
    preset = build_config(read_preset("smollm2-135m"))
    for arm in PRETRAINED_ARMS:
        config = build_config(arm.whole)
        assert config.mode == arm.name.removeprefix("smollm2-")
        assert config.max_steps % config.eval.every == 0
        assert (config.meta_prompt, config.solution) == (preset.meta_prompt, preset.solution)
        assert (config.batch, config.cluster) == (preset.batch, preset.cluster)
        assert config.model.path is config.data.train is None  # they come of the policy


def test_problems_of_the_pretrained_task_keep_their_worked_solutions(tmp_path):
    problems = [Problem(id="a", text="2 + 3?", answer="5")]
    write_rows(tmp_path / "rows.jsonl", LoadedProblems(problems, worked={"a": "2 + 3 = 5."}))
    loaded = load_problems(str(tmp_path / "rows.jsonl"), DataConfig())
    assert loaded.problems == problems
    worked = read_worked_solutions(str(tmp_path / "rows.jsonl"), DataConfig(), None, problems)
    assert worked == {"a": "2 + 3 = 5."}
    with pytest.raises(ValueError, match="1 problems have a scorer"):
        write_rows(tmp_path / "other.jsonl", LoadedProblems(problems, scorers={"a": "{}"}))


def test_a_run_is_not_taken_for_one_of_another_arm(tmp_path):
    eight = tmp_path / "runs" / "grpo-8-20-20260101-000000"
    eight.mkdir(parents=True)
    assert find_run_folder("grpo-8-20", tmp_path) == eight
    assert find_run_folder("grpo-8", tmp_path) is None
    seed = tmp_path / "runs" / "grpo-8-20260101-000000"
    seed.mkdir()
    assert find_run_folder("grpo-8", tmp_path) == seed


def test_seeds_lie_as_far_apart_as_is_asked(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(command, "run_jobs", lambda jobs, home, **_: asked.extend(jobs) or 0)
    arguments = ["--arms", "grpo", "--first-seed", "200", "--home", str(tmp_path)]
    assert command.main([*arguments, "--seed-stride", "100"]) == 0
    assert [job.seed for job in asked] == [200, 300, 400, 500, 600]
    assert len({job.policy for job in asked}) == 5
    asked.clear()
    command.main(arguments)
    assert [job.seed for job in asked] == [200, 201, 202, 203, 204]
    assert {job.policy for job in asked} == {200}


def test_the_short_form_is_three_quarters_of_each_arm():
    for arm in ARMS:
        whole, short = (
            build_config(merge_settings(BASE, a.settings)) for a in (arm, shorten_arm(arm))
        )
        assert short.max_steps == pytest.approx(0.75 * whole.max_steps, abs=1)
        assert short.eval.every == 2 * whole.eval.every
        assert short.model_copy(update={"max_steps": whole.max_steps, "eval": whole.eval}) == whole


def test_the_gate_by_chance_skips_its_share_whatever_is_predicted():
    gate = make_random_gate(0.3)
    rule = PredictiveGate(
        max_std=gate["max_std"], tolerance=gate["tolerance"], min_readable=gate["min_readable"]
    )
    for predicted in ([0.0, 0.25], [1.0, 1.0], [0.125, 1.0], [0.0, 0.0, None], [0.375, 0.5]):
        assert rule.decide(predicted).skip
    assert gate["audit"] == 0.7


def curve(tokens, accuracy):
    steps = tuple(float(i) for i in range(len(tokens)))
    return Curve(tuple(tokens), steps, steps, tuple(accuracy))


def test_ratios_are_paired_by_seed_and_at_the_baselines_own_accuracy():
    base = {0: curve([0, 100, 200], [0.2, 0.4, 0.6]), 1: curve([0, 100, 200], [0.1, 0.2, 0.3])}
    other = {0: curve([0, 50, 100], [0.2, 0.4, 0.6]), 1: curve([0, 25, 50], [0.1, 0.2, 0.3])}
    half = compare_cost(base, other, 0.5)
    assert half.value == pytest.approx(8**-0.5)  # geometric mean of 1/2 and 1/4
    assert (half.seeds, half.censored) == (2, 0)
    assert half.low == pytest.approx(1 / 4)
    assert half.high == pytest.approx(1 / 2)
    student = compare_cost(base, other, 0.5, method="t")
    # Logarithms -log 2 and -log 4: their mean +- 12.7062 times log(2) / 2.
    assert student.value == pytest.approx(8**-0.5)
    assert student.low == pytest.approx(8**-0.5 * 2 ** (-12.7062 / 2), rel=1e-3)
    assert student.high == pytest.approx(8**-0.5 * 2 ** (12.7062 / 2), rel=1e-3)


def test_accuracy_after_the_same_tokens_is_paired_by_seed():
    base = {0: curve([0, 100, 200], [0.2, 0.5, 0.4]), 1: curve([0, 100], [0.1, 0.2])}
    other = {0: curve([0, 200], [0.2, 0.6]), 1: curve([0, 40], [0.1, 0.2])}
    assert accuracy_after_tokens(base[0], 150) == pytest.approx(0.45)  # levelled
    assert accuracy_after_tokens(base[0], 50) == pytest.approx(0.325)
    assert accuracy_after_tokens(base[0], 201) is None
    assert paired_differences(base, other, 50) == pytest.approx([0.3 - 0.325])  # seed 1 had ended


def test_a_seed_that_does_not_reach_the_target_is_censored():
    base = {
        0: curve([0, 100], [0.2, 0.6]),
        1: curve([0, 100], [0.2, 0.6]),
        2: curve([0, 9], [0, 1]),
    }
    other = {0: curve([0, 50], [0.2, 0.6]), 1: curve([0, 60], [0.2, 0.5])}
    reached = compare_cost(base, other, 1.0, leave_out_censored=True)
    assert reached == (pytest.approx(0.5), None, None, 1, 1)
    # Seed 1 ended short of it after 60 tokens: its ratio is 60 / 100 at the least.
    whole = compare_cost(base, other, 1.0)
    assert whole == (pytest.approx(0.3**0.5), pytest.approx(0.5), pytest.approx(0.6), 2, 1)
    cell = "≥ 0.55 [0.50, 0.60], 1 of 2 censored"
    assert format_cost(whole) == cell
    assert _format_cost_cell(base, other, 1.0) == f"{cell}; reached 0.50"
    assert _format_cost_cell(base, {1: other[1]}, 1.0) == "≥ 0.60"
    assert _format_cost_cell(base, {1: other[1]}, 0.5) == "0.80"
    assert _format_cost_cell(base, {}, 1.0) == ""


def test_one_seed_that_says_much_is_seen():
    base = {seed: curve([0, 100], [0.2, 0.6]) for seed in (3, 4, 5)}
    other = {
        3: curve([0, 50], [0.2, 0.6]),
        4: curve([0, 100], [0.2, 0.6]),
        5: curve([0, 50], [0.2, 0.4]),
        6: curve([0, 1], [0.2, 0.6]),  # the baseline has no such seed
    }
    rows = _tabulate_seeds({"grpo": base, "arm": other, "none": {}}, "grpo")
    assert rows == [
        ["arm", "seed 3", "seed 4", "seed 5", "one left out"],
        ["arm", "0.50", "1.00", "≥ 0.50", "0.50 to 0.71"],
    ]
    rows = _tabulate_seeds({"grpo": base, "arm": {4: other[4], 6: other[6]}}, "grpo")
    assert rows[1] == ["arm", "", "1.00", "", ""]
    assert maximum_drawdown([0.3, 0.5, 0.4, 0.45, 0.6, 0.55]) == pytest.approx(0.1)
    falls = {3: curve([0, 1, 2], [0.3, 0.1, 0.4]), 4: curve([0, 1, 2], [0.3, 0.4, 0.5])}
    heads, row = _tabulate_final_accuracy({"arm": falls}, {"arm": "an arm"})
    assert row[heads.index("maximum drawdown")] == "0.200"


def test_the_task_is_fair_where_half_the_batch_saves_nothing_and_an_oracle_does(tmp_path):
    base = {0: curve([0, 100], [0.2, 0.6])}
    half, knows = {0: curve([0, 110], [0.2, 0.6])}, {0: curve([0, 50], [0.2, 0.6])}
    rows = _tabulate_checks({"grpo": base, "less": half, "oracle": knows}, "grpo", "less")
    assert [row[-1] for row in rows[1:]] == ["4 of 4", "4 of 4"]
    rows = _tabulate_checks({"grpo": base, "less": knows, "oracle": half}, "grpo", "less")
    assert [row[-1] for row in rows[1:]] == ["0 of 4", "0 of 4"]
    rows = _tabulate_checks({"grpo": base}, "grpo", None)
    assert [row[-1] for row in rows[1:]] == ["not run", "not run"]


@pytest.mark.parametrize(
    ("names", "half", "dynamic"),
    [
        (("grpo", "masa", "masa-efficient", "dapo", "grpo-half"), "grpo-half", "dapo"),
        (
            ("grpo-8", "masa-efficient", "grpo-4-0.0005", "dapo-8"),
            "grpo-4-0.0005",
            "dapo-8",
        ),
        (("grpo-8", "dapo", "grpo-4-0.0005"), "grpo-4-0.0005", "dapo"),
        (("grpo-8", "masa"), None, None),
    ],
)
def test_the_checks_find_their_arms_whatever_they_are_called(names, half, dynamic):
    every = {arm.name: arm for arm in EVERY_ARM}
    arms = [every[name] for name in names]
    assert _find_half_batch(arms[0], arms) == half
    assert [arm.name for arm in arms if _is_dynamic_sampling(arm)] == [dynamic] * bool(dynamic)


def test_groups_with_variance_are_counted_among_those_rolled_out(tmp_path):
    def run(name, *steps):
        metrics = tuple(
            {
                "step": step,
                "time": float(step),
                "ledger/solution_tokens": tokens,
                "solution/no_variance": without,
                **more,
            }
            for step, (tokens, without, more) in enumerate(steps, 1)
        )
        evals = ({"step": 0, "pass_at_1": 0.2}, {"step": 3, "pass_at_1": 0.6})
        config = {"batch": {"problems": 4}}
        done = ({"event": "trained", "reason": "finished", "step": 3},)
        return RecordedRun(tmp_path / name, config, metrics, evals, (), (), (), done, {})

    # Of 4 groups 3 have variance, then 1, then none. Half of 4 are rolled out, then half of 8 that
    # were drawn, of which half have variance, then half of 4, of which none has.
    skipped = {"gate/skipped": 0.5}
    base = run("a", (160.0, 0.25, {}), (240.0, 0.75, {}), (320.0, 1.0, {}))
    more = {**skipped, "sampling/drawn": 8.0}
    other = run("b", (80.0, 0.0, skipped), (120.0, 0.5, more), (160.0, 1.0, skipped))
    assert curve_over_groups(base).tokens == (0, 4)
    runs = {"grpo": {0: base}, "gate": {0: other}, "none": {}}
    curves = {
        name: {seed: held_out_curve(one) for seed, one in of.items()} for name, of in runs.items()
    }
    rows = _tabulate_groups(runs, curves, "grpo")
    assert rows[1] == ["grpo", "4", "80", "0.5", "50%", "", "", "", ""]
    assert rows[2][:6] == ["gate", "4", "40", "1.0", "50%", "1.00"]
    assert len(rows) == 3


def test_a_run_is_read_as_it_was_after_a_step(tmp_path):
    rows = tuple({"step": step, "pass_at_1": 0.1} for step in (0, 1, 2, 3))
    run = truncate_run(RecordedRun(tmp_path, {}, rows[1:], rows, (), (), (), (), {}), 2)
    assert [row["step"] for row in run.metrics] == [1, 2]
    assert [row["step"] for row in run.evals] == [0, 1, 2]


def test_a_job_that_was_stopped_is_gone_on_with(tmp_path):
    job, assets = Job(ARMS[0], 3), ComparisonAssets(tmp_path / "m", tmp_path / "t", tmp_path / "h")
    assert "--config" in running.build_command(job, assets, tmp_path)
    run = tmp_path / "runs" / "grpo-3-20260101-000000"
    (run / "checkpoints").mkdir(parents=True)
    assert find_job_folder(job, tmp_path) == run
    assert not is_finished(run, 320)
    assert running.build_command(job, assets, tmp_path)[-4:] == [
        "--resume",
        str(run),
        "--max-steps",
        "320",
    ]
    (run / "events.jsonl").write_text('{"event": "trained", "reason": "finished", "step": 320}\n')
    assert is_finished(run, 320)
    assert not is_finished(run, 321)  # its arm is longer now: it goes on


def test_a_run_that_was_begun_with_other_settings_is_not_gone_on_with(tmp_path):
    job = Job(ARMS[0], 3)
    assert list_changed_settings(job, tmp_path) == []
    run = tmp_path / "runs" / "grpo-3-20260101-000000"
    run.mkdir(parents=True)
    whole = build_config(merge_settings(job.settings, {"max_steps": 7})).model_dump_json()
    (run / "config.json").write_text(whole)
    assert list_changed_settings(job, tmp_path) == []
    whole = build_config(merge_settings(job.settings, {"optim": {"lr": 0.5}})).model_dump_json()
    (run / "config.json").write_text(whole)
    assert list_changed_settings(job, tmp_path) == ["grpo-3: optim.lr is 0.5 there, 0.00035 now"]
    with pytest.raises(SystemExit, match=r"optim\.lr is 0\.5 there[\s\S]*another --home"):
        run_jobs([job], tmp_path, jobs_at_a_time=1)


def test_an_oracle_pays_for_what_dynamic_sampling_keeps_alone(tmp_path):
    steps = ({"step": 1, "tokens/solution": 100.0, "tokens/replaced": 60.0},)
    steps += ({"step": 2, "tokens/solution": 80.0},)  # nothing was replaced
    evals = tuple({"step": step, "pass_at_1": 0.2 + step / 10} for step in (0, 1, 2))
    run = RecordedRun(tmp_path, {}, steps, evals, (), (), (), (), {})
    assert oracle_gate_curve(run).tokens == (0, 40, 120)
    assert oracle_gate_curve(run).accuracy == pytest.approx((0.2, 0.3, 0.4))


def test_how_sure_a_prediction_is_is_counted_by_what_it_said(tmp_path):
    evals = tuple({"step": step, "pass_at_1": 0.1} for step in (0, 10, 20))
    said = {
        0: [[0.0, 0.5]],  # before the first step: in no part
        10: [[0.0, 0.0], [0.04, 0.25], [0.3, 0.5], [1.0, 1.0]],
        20: [[0.95, 0.75], [1.0, 1.0], [0.9, 0.5], [None, 0.5]],
    }
    pairs = tuple({"step": s, "split": "eval", "pass_rate": p} for s, p in said.items())
    pairs += ({"step": 10, "split": "train", "pass_rate": [[0.6, 0.5]]},)
    run = RecordedRun(tmp_path, {}, (), evals, pairs, (), (), (), {})
    head, early, late = tabulate_reliability({"a": {0: run}, "no predictions": {}})
    assert early[:2] == ["a", "first half"]
    of = dict(zip(head, early, strict=True))
    assert of["0.00 to 0.05"] == "50% of 50%"
    assert of["0.20 to 0.50"] == "100% of 25%"
    assert of["0.95 to 1.00"] == "0% of 25%"
    assert not of["0.50 to 0.80"]
    of = dict(zip(head, late, strict=True))
    assert of["0.90 to 0.95"] == "100% of 33%"
    assert of["0.95 to 1.00"] == "50% of 67%"
    assert list_confident_pass_rates({0: run}) == pytest.approx([0.75])


def test_how_fast_predictions_are_learned_is_read_off_the_evaluations_all_runs_have(tmp_path):
    def run(*correlations):
        rows = ({"step": 20 * i, "meta/pass_rate_correlation": c} for i, c in correlations)
        return RecordedRun(tmp_path, {}, (), tuple(rows), (), (), (), (), {})

    runs = {"a": {0: run((0, 0.0), (1, 0.5), (2, 0.75)), 1: run((1, 0.7), (2, 0.75))}}
    runs |= {"b": {0: run((1, 0.1))}, "not run": {}}
    table = tabulate_learning(runs)
    assert table[0] == ["arm", "step 20"]
    assert table[1][0] == "a"
    assert table[1][1].startswith("0.60 [")
    assert table[2:] == [["b", "0.10"]]
    assert tabulate_learning({}) == [["arm"]]


def test_a_correlation_that_is_not_defined_is_left_out_of_the_mean(tmp_path):
    def run(**correlations):
        row = {"step": 10, **{f"meta/{key}_correlation": c for key, c in correlations.items()}}
        return RecordedRun(tmp_path, {}, ({"step": 10},), (row,), (), (), (), (), {})

    runs = {"a": {0: run(pass_rate=0.5, length=0.25), 1: run(pass_rate=0.5)}, "none": {0: run()}}
    head, row = tabulate_calibration(runs)
    assert row[head.index("length")] == "0.25"
    assert row[1].startswith("0.50 [")
