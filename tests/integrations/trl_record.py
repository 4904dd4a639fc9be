"""Run a training script of TRL's with every call of our reward function written down.

Run in the stack's own environment: `python trl_record.py FOLDER SCRIPT`. The script leaves its
`trainer` behind. `calls-RANK.jsonl` gets a line a call, `trained-RANK.json` what came of it.
"""

import json
import os
import runpy
import sys
from pathlib import Path

RANK = os.environ.get("RANK", "0")


def record_reward_calls(reward_class, folder):
    """Write down what the class is called with, and what it returns."""
    original = reward_class.__call__

    def call(self, *completions, **given):
        rewards = original(self, *completions, **given)
        plain = (str, int, list, type(None))
        inputs = {
            name: value
            for name, value in given.items()
            if isinstance(value, list) and all(isinstance(each, plain) for each in value)
        }
        if completions:
            (inputs["completions"],) = completions
        with open(Path(folder) / f"calls-{RANK}.jsonl", "a") as calls:
            calls.write(json.dumps({"given": inputs, "rewards": rewards}) + "\n")
        return rewards

    reward_class.__call__ = call


def main(folder, script):
    from masa_rewards.integrations.trl import MasaReward

    record_reward_calls(MasaReward, folder)
    trainer = runpy.run_path(script)["trainer"]
    import torch
    from transformers import AutoModelForCausalLM

    before = AutoModelForCausalLM.from_pretrained("tiny").state_dict()
    after = trainer.accelerator.unwrap_model(trainer.model).state_dict()
    changed = [name for name, value in before.items() if not torch.equal(value, after[name].cpu())]
    trained = {
        "steps": trainer.state.global_step,
        "changed": changed,
        "weights": len(before),
        "log": trainer.state.log_history,
    }
    (Path(folder) / f"trained-{RANK}.json").write_text(json.dumps(trained))


if __name__ == "__main__":
    main(*sys.argv[1:])
