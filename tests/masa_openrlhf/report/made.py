"""Run folders made by hand."""

import json

from masa_openrlhf.config import TrainConfig
from masa_openrlhf.run_folder import RunFolder


def run(path, *, steps=10, evals=(0, 5, 10), start=0.2, gain=0.04, **config):
    """A run of plain MASA: 100 tokens and 2 s a step, accuracy start + gain * step."""
    config = {"mode": "masa", **config}
    folder = RunFolder(path)
    folder.create(TrainConfig.model_validate(config))
    folder.event("training", steps=steps)
    for step in range(1, steps + 1):
        folder.write_metrics(step, row(step, config["mode"]))
    for step in evals:
        folder.write_eval(step, {"pass_at_1": start + gain * step, "problems": 8.0})
    folder.event("trained", reason="finished", step=steps)
    return folder


def row(step, mode="masa"):
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
