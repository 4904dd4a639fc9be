"""The first screen: what was trained on what, whether it beat the baseline, by which evidence."""

import json

import pytest
from masa_openrlhf.report.groups import group_runs
from masa_openrlhf.report.runs import read_run
from masa_openrlhf.report.sections import accuracy, headline
from masa_openrlhf.report.sections.facts import list_facts
from masa_openrlhf.report.sections.verdict import verdict_sentences

from tests.masa_openrlhf.report import factories


def groups(tmp_path, *runs):
    folders = []
    for number, config in enumerate(runs):
        folders.append(factories.make_run(tmp_path / f"run-{number}", **config))
    return group_runs([read_run(folder.path) for folder in folders])


def pairs(gains, base=0.04):
    """Three seeds of the baseline (80 tokens a step), and of masa (100 tokens a step)."""
    return [
        *({"mode": "grpo", "seed": seed, "gain": base} for seed in range(len(gains))),
        *({"seed": seed, "gain": gain} for seed, gain in enumerate(gains)),
    ]


@pytest.mark.parametrize(
    ("gains", "said"),
    [
        # Half the steps at 100 instead of 80 tokens: 0.625 times the tokens, in every pair.
        ([0.08] * 3, "masa was better than grpo: on the way to 60% right it used 0.62 times"),
        # The same steps: 100 / 80.
        ([0.04] * 3, "masa was worse than grpo: on the way to 40% right it used 1.25 times"),
        ([0.08, 0.03, 0.06], "No difference of masa to grpo can be told: on the way to"),
        ([0.08], "masa and grpo: on the way to"),
    ],
)
def test_the_ratio_comes_with_its_interval_and_its_evidence(tmp_path, gains, said):
    (sentence,) = verdict_sentences(groups(tmp_path, *pairs(gains)))
    assert sentence.startswith(said)
    assert ("95 % interval" in sentence) == (len(gains) > 1)
    assert (f"{len(gains)} pair" in sentence) or "further pair" in sentence
    assert ("proves nothing" in sentence) == (len(gains) == 1)


def test_pairs_in_which_one_did_not_get_there_are_named(tmp_path):
    runs = pairs([0.08, 0.08, 0.0])
    (sentence,) = verdict_sentences(groups(tmp_path, *runs))
    assert "2 pairs of runs of a seed; in 1 further pair not both got there" in sentence


def test_the_verdict_and_the_table_are_the_same_numbers(tmp_path):
    found = groups(tmp_path, *pairs([0.08, 0.06, 0.07]))
    (sentence,) = verdict_sentences(found)
    _, relative = accuracy.accuracy_section(found).tables
    value, low, high = (part.strip("[],") for part in relative.rows[0][3].split())
    assert f"used {value} times the tokens (95 % interval {low} to {high};" in sentence


def test_without_a_baseline_that_is_said(tmp_path):
    (sentence,) = verdict_sentences(groups(tmp_path, {}))
    assert "cannot be told from here" in sentence
    assert "--mode grpo" in sentence
    assert verdict_sentences(groups(tmp_path / "b", {"mode": "grpo"})) == []


def test_runs_without_a_seed_in_common_are_not_compared(tmp_path):
    (sentence,) = verdict_sentences(groups(tmp_path, {"mode": "grpo", "seed": 5}, {"seed": 1}))
    assert "shares a seed" in sentence


def test_model_problems_and_settings_are_there(tmp_path):
    config = {
        "model": {"path": "Qwen/Qwen3-0.6B"},
        "data": {"train": "/home/me/data/train.jsonl", "eval": "HuggingFaceH4/MATH-500"},
        "cluster": {"device": "gpu", "gpus_per_node": 1},
        "batch": {"problems": 32},
        "seed": 7,
    }
    found = groups(tmp_path, config, {**config, "mode": "grpo", "seed": 8})
    (tmp_path / "run-0" / "versions.json").write_text(json.dumps({"commit": "0123456789abcdef"}))
    facts = dict(list_facts(found))
    assert facts == {
        "Model": "Qwen/Qwen3-0.6B",
        "Problems": "data/train.jsonl",
        "Held out": "HuggingFaceH4/MATH-500",
        "Mode": "grpo (grpo) and masa (grpo)",
        "A problem": "16 solutions; 16 solutions, 8 predictions",
        "A step": "32 problems",
        "Longest": "8,192 tokens of a solution; 8,192 tokens of a solution, 4,096 of a prediction",
        "Learning rate": "1e-06",
        "Computed on": "1 x 1 GPUs",
        "Runs": "2 runs, seeds 7, 8",
        "Commit": facts["Commit"],
    }
    assert "0123456789ab" in facts["Commit"]


def test_the_tiny_model_is_named_as_such(tmp_path):
    facts = dict(list_facts(groups(tmp_path, {"cluster": {"device": "cpu"}})))
    assert facts["Model"] == "the tiny model, made on the spot"
    assert facts["Problems"] == facts["Held out"] == "tiny problems, made on the spot"
    assert facts["Computed on"] == "a CPU"


def test_what_an_evaluation_leaves_undefined_is_not_taken_from_training(tmp_path):
    """A correlation of held-out problems that are all alike is not defined."""
    found = []
    for seed, defined in ((0, True), (1, False)):
        folder = factories.make_run(tmp_path / f"{seed}", evals=(), seed=seed)
        for step, value in ((0, 0.1), (10, 0.5)):
            key = {"meta/pass_rate_correlation": value} if defined else {}
            folder.write_eval(step, {"pass_at_1": 0.2 + value, "problems": 8.0, **key})
        found.append(read_run(folder.path))
    changed, _ = headline.headline_section(group_runs(found)).tables
    assert changed.rows[0][2] == "+0.10 → +0.50 (1 of 2 runs)"


def test_time_is_told_of_one_group_and_not_compared(tmp_path):
    alone = groups(tmp_path / "a", {})
    assert "time in steps" in headline.headline_section(alone).tables[1].heads
    assert "accuracy-seconds" in [p.key for p in accuracy.accuracy_section(alone).pictures]
    both = groups(tmp_path / "b", *pairs([0.08]))
    assert "time in steps" not in headline.headline_section(both).tables[1].heads
    section = accuracy.accuracy_section(both)
    assert "accuracy-seconds" not in [picture.key for picture in section.pictures]
    assert any("Time is not compared" in text for text in section.says)
