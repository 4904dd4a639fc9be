"""Run folders made by hand."""

import json

from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.run.folder import RunFolder


def make_run(path, *, steps=10, evals=(0, 5, 10), start=0.2, gain=0.04, **config):
    """A run of plain MASA: 100 tokens and 2 s a step, accuracy start + gain * step."""
    config = {"mode": "masa", **config}
    folder = RunFolder(path)
    folder.create(TrainConfig.model_validate(config))
    folder.event("training", steps=steps)
    for step in range(1, steps + 1):
        folder.write_metrics(step, make_row(step, config["mode"]))
    for step in evals:
        folder.write_eval(step, {"pass_at_1": start + gain * step, "problems": 8.0})
    folder.event("trained", reason="finished", step=steps)
    return folder


def make_row(step, mode="masa"):
    found = {
        "solution/pass_rate": 0.3 + 0.01 * step,
        "tokens/solution": 80.0,
        "ledger/solution_tokens": 80.0 * step,
        "time/step": 2.0,
        "ledger/problems": 4.0 * step,
    }
    if mode != "grpo":
        found |= {
            "meta/reward": 0.2 + 0.02 * step,
            "meta/reward_length": 0.1 + 0.02 * step,
            "meta/reward_difficulty": 0.2 + 0.02 * step,
            "meta/reward_notion": 0.3 + 0.02 * step,
            "meta/pass_rate_correlation": 0.05 * step,
            "tokens/meta": 20.0,
            "ledger/meta_tokens": 20.0 * step,
        }
    return found


def write_lines(path, *rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def make_episode(
    problem="1 + 1?", *, right=1, wrong=1, text="it is 2", decided=None, notion="carry"
):
    """An episode as a run writes it out, with two predictions."""
    prediction = {"pass_rate": 0.5, "length": 12, "notions": [notion, "sum"], "missing": {}}
    reward = {"length": 1.0, "difficulty": 0.25, "notion": 0.5, "total": 0.58}
    meta = {
        "text": "{}",
        "tokens": 5,
        "prediction": prediction,
        "reward": reward,
        "total_reward": 0.75,
    }
    unread = {**meta, "prediction": {"pass_rate": None, "length": None, "notions": None}}
    solution = {"text": text, "tokens": 7, "cut": None, "reward": 1.0}
    return {
        "problem": problem,
        "answer": "2",
        "pass_rate": right / (right + wrong) if right + wrong else None,
        "decided": decided,
        "meta": [meta, {**unread, "reward": None, "total_reward": None}],
        "solutions": [{**solution, "verdict": {"status": "correct"}}] * right
        + [{**solution, "reward": 0.0, "verdict": {"status": "incorrect"}}] * wrong,
    }


def write_episodes(folder, step, *episodes):
    (folder.path / "episodes" / f"step-{step:06d}.json").write_text(json.dumps(episodes))
