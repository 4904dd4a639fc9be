"""A whole run on the real stack: OpenRLHF, Ray, vLLM and DeepSpeed, as published."""

import json
import re

import pytest
from masa_openrlhf.config.layers import read_saved_config

from tests.stack.command_runs import list_steps


@pytest.fixture(scope="module")
def folder(whole_run):
    return whole_run.folder


def openrlhf_arguments(folder):
    return " ".join((folder.path / "openrlhf.txt").read_text().replace("\\", " ").split())


def test_it_takes_every_step(folder):
    assert list_steps(folder) == list(range(1, 8))


def test_each_step_is_measured(folder):
    for row in folder.metrics():
        assert 0 <= row["solution/pass_rate"] <= 1
        assert 0 <= row["meta/reward"] <= 1
        parts = [row[f"meta/reward_{part}"] for part in ("length", "difficulty", "notion")]
        assert sum(parts) / 3 == pytest.approx(row["meta/reward"])
        assert row["policy/grad_norm"] > 0
        assert row["policy/kl_vllm"] == pytest.approx(0, abs=0.01)
        assert row["time/step"] > 0


def test_what_our_own_code_takes_is_measured(folder):
    parts = {"prompts", "rewards", "control", "conversion", "transfer", "records"}
    where_solved = {"verification", "verification_wait"}
    for row in folder.metrics():
        found = {k for k in row if k.startswith("overhead/")}
        expected = {"step", "share", *parts, *(where_solved if row["tokens/solution"] else ())}
        assert found == {f"overhead/{part}" for part in expected}
        assert all(row[name] >= 0 for name in found)
        assert 0 < row["overhead/step"] < row["time/step"]
        assert row["overhead/share"] == pytest.approx(row["overhead/step"] / row["time/step"])


def test_every_token_is_counted(folder):
    rows = folder.metrics()
    last = rows[-1]
    skipped = last.get("ledger/skipped_trivial", 0) + last.get("ledger/skipped_unsolvable", 0)
    for kind, rollouts in (("meta", 7 * 5 * 4), ("solution", (7 * 5 - skipped) * 6)):
        made = sum(row[f"tokens/{kind}"] for row in rows)
        assert last[f"ledger/{kind}_tokens"] == made > 0
        assert last[f"ledger/{kind}_rollouts"] == rollouts


def test_before_the_start_step_nothing_is_decided(folder):
    for row in folder.metrics():
        assert ("gate/skipped" in row) == (row["step"] > 2)
        assert row["step"] > 2 or "cutoff/max_tokens" not in row
    assert any("cutoff/max_tokens" in row for row in folder.metrics())


def test_skipped_problems_count_in_the_loss(folder):
    rows = folder.metrics()
    assert any(row.get("gate/skipped", 0.0) > 0 for row in rows)
    for row in rows:
        left = 1 - row.get("gate/skipped", 0.0)
        assert row["policy/rolled_out_share"] == pytest.approx(left or 1.0)


def test_experts_are_cloned_from_the_first_step_on(folder):
    rows = folder.metrics()
    assert rows[0]["experts/stored"] == rows[0]["experts/accepted"] > 0
    assert rows[-1]["ledger/cloned_sequences"] >= 5 * 6
    assert rows[-1]["ledger/cloned_tokens"] > rows[-1]["ledger/cloned_sequences"]


def test_no_problem_waits_for_the_predictions_of_another(whole_run):
    """Solutions of one problem start while another's predictions are being made, in vLLM."""
    decided = [r for r in whole_run.requests if r["step"] > 2 and r["phase"] == "train"]
    ends = {(r["step"], r["problem"]): r["ended"] for r in decided if r["kind"] == "meta"}
    overtaken = 0
    for solution in (r for r in decided if r["kind"] == "solution"):
        # Its own predictions came first ...
        assert ends[solution["step"], solution["problem"]] <= solution["began"]
        # ... and those of others may still be on their way.
        overtaken += any(
            step == solution["step"] and problem != solution["problem"] and end > solution["began"]
            for (step, problem), end in ends.items()
        )
    assert overtaken > 0


def test_what_its_report_draws_is_recorded(folder):
    pairs = [
        json.loads(line) for line in (folder.path / "calibration.jsonl").read_text().splitlines()
    ]
    assert [row["step"] for row in pairs if row["split"] == "eval"] == [0, 3, 6, 7]
    for row in pairs:
        assert len(row["pass_rate"]) <= (8 if row["split"] == "eval" else 5)
        assert all(0 <= value <= 1 for pair in row["pass_rate"] for value in pair)
    notions = [
        json.loads(line) for line in (folder.path / "notions.jsonl").read_text().splitlines()
    ]
    assert {row["step"] for row in notions} <= set(range(1, 8))
    for right, wrong, all_right, all_wrong in notions[0]["notions"].values():
        assert (right <= all_right, wrong <= all_wrong) == (True, True)
        assert (all_right + all_wrong) % 6 == 0  # of whole groups
    for row in folder.evals():
        assert row["pass_at_1_low"] <= row["pass_at_1"] <= row["pass_at_1_high"]


def test_its_report_is_written_at_its_end(folder):
    assert (folder.path / "report" / "report.html").is_file()
    assert (folder.path / "report" / "accuracy-tokens.png").is_file()


def test_meta_and_solution_groups_differ_in_size(folder):
    episodes = json.loads((folder.path / "episodes" / "step-000001.json").read_text())
    assert len(episodes) == 5
    for episode in episodes:
        assert (len(episode["meta"]), len(episode["solutions"])) == (4, 6)
        assert episode["problem"]
        assert all(s["text"] for s in episode["solutions"])
        right = [s["reward"] for s in episode["solutions"]]
        assert episode["pass_rate"] == pytest.approx(sum(right) / 6)


def test_the_weights_in_vllm_are_the_policys(folder):
    checks = [event for event in folder.events() if event["event"] == "weights"]
    assert [check["step"] for check in checks] == [1, 2]
    for check in checks:
        assert check["compared"] >= 18
        assert check["differing"] == []
        assert check["unmatched"] == []


def test_the_model_is_trained_and_loads_as_any_other(folder):
    import torch
    import transformers

    first = re.search(r"--actor.model_name_or_path (\S+)", openrlhf_arguments(folder))[1]
    models = [
        transformers.AutoModelForCausalLM.from_pretrained(path) for path in (first, folder.model)
    ]
    before, after = ([p.detach().float() for p in model.parameters()] for model in models)
    moved = max((a - b).abs().max().item() for a, b in zip(before, after, strict=True))
    assert moved > 0
    assert all(torch.isfinite(p).all() for p in after)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder.model)
    prompt = tokenizer("Solve.", return_tensors="pt")
    assert models[1].generate(**prompt, max_new_tokens=4).shape[1] > prompt["input_ids"].shape[1]


def test_held_out_problems_are_evaluated(folder):
    evals = folder.evals()
    assert [row["step"] for row in evals] == [0, 3, 6, 7]
    assert all(row["problems"] == 8 and 0 <= row["pass_at_1"] <= 1 for row in evals)


def test_what_a_run_leaves_to_be_read(folder):
    config = read_saved_config(folder.config.read_text())
    assert (config.meta.rollouts, config.solution.rollouts) == (4, 6)
    assert "--train.batch_size 64" in openrlhf_arguments(folder)
    assert list((folder.path / "tensorboard").rglob("events.out.tfevents.*"))
    kept = sorted(p.name for p in (folder.checkpoints / "_actor").iterdir() if p.is_dir())
    assert kept == ["global_step6", "global_step7"]


def test_the_terminal_is_left_to_the_table(whole_run):
    folder, output = whole_run.folder, whole_run.output
    assert "step 7/7" in output
    assert "What the run learned" in output
    assert str(folder.model) in output.replace("\n", "")
    for noise in ("INFO", "WARNING", "Traceback", "pid="):
        assert noise not in output
    assert "vllm" in folder.log.read_text().lower()


def test_nothing_is_compiled(folder):
    """A CPU run needs no C++ compiler, and does not wait for one."""
    assert "built successfully" not in folder.log.read_text()


def test_nothing_is_left_behind(whole_run):
    assert whole_run.left == []
