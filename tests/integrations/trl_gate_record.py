"""Run a training script with the gate, and write down what each generation batch came to.

Run in TRL's own environment: `python trl_gate_record.py FOLDER SCRIPT`. The script leaves its
`trainer` behind, not yet trained where it asks for more than `train()`. `batches-RANK.jsonl` gets a
line a generation batch, `trained-RANK.json` the log, and the gradients that were compared.
"""

import json
import os
import runpy
import sys
from functools import wraps
from pathlib import Path

RANK = os.environ.get("RANK", "0")


def record_batches(trainer_class, folder, kept):
    """Write down each batch: rows, plans, tokens, masks, advantages; keep the last as it was."""
    score = trainer_class._generate_and_score_completions
    reward = trainer_class._calculate_rewards
    turn = trainer_class.__mro__[1]._generate_single_turn
    asked = []

    @wraps(turn)  # the trainer looks at its arguments
    def record_turn(self, prompt_ids, *rest, **more):
        made = turn(self, prompt_ids, *rest, **more)
        asked.append(sum(map(len, made[0])))
        return made

    def record_rewards(self, inputs, prompts, completions, ids):
        found = reward(self, inputs, prompts, completions, ids)
        if not self.model.training:
            assert "masa_skipped" not in inputs[0]
            assert all(each == each for (each,) in found.tolist())
        else:
            kept["rewards"] = [[None if v != v else v for v in row] for row in found.tolist()]
            kept["given"] = [row["masa_skipped"] for row in inputs]
            kept["texts"] = [
                text if isinstance(text, str) else text[0]["content"] for text in completions
            ]
        return found

    def record_scored(self, inputs):
        asked.clear()
        output = score(self, inputs)
        if not self.model.training:
            return output
        batch = self._masa_batch
        if {True, False} <= set(kept["given"]):
            kept["output"] = {k: v.clone() for k, v in output.items()}
        line = {
            "step": batch.step,
            "kinds": [sample.kind for sample in batch.own],
            "ids": [sample.problem_id for sample in batch.own],
            "answers": [sample.gold for sample in batch.own],
            "texts": kept["texts"],
            "given": kept["given"],
            "rewards": kept["rewards"],
            "plans": {
                name: [plan.flagged, plan.gate_audited, plan.gate and plan.gate.mean]
                for name, plan in batch.plans.items()
            },
            "asked": list(asked),
            "num_items": output["num_items_in_batch"].item(),
            "lengths": output["completion_mask"].sum(1).tolist(),
            "first": output["completion_ids"][:, 0].tolist(),
            "trained_tokens": (output["completion_mask"] * output["tool_mask"]).sum(1).tolist(),
            "advantages": output["advantages"].tolist(),
        }
        with open(Path(folder) / f"batches-{RANK}.jsonl", "a") as lines:
            lines.write(json.dumps(line) + "\n")
        return output

    trainer_class.__mro__[1]._generate_single_turn = record_turn
    trainer_class._calculate_rewards = record_rewards
    trainer_class._generate_and_score_completions = record_scored


def compute_gradient(trainer, output):
    """The gradient of one micro-batch that is a whole generation batch, as one flat list."""
    import torch

    trainer.model.zero_grad()
    trainer.compute_loss(trainer.model, output).backward()
    found = [p.grad.flatten() for p in trainer.model.parameters() if p.grad is not None]
    return torch.cat(found).tolist()


def compare_gradients(trainer, output):
    """That of a batch with skipped rows, and that of its other rows alone, by each loss.

    Alone, a loss that divides by tokens divides by those of the other rows.
    """
    trainer.model.train()
    trainer.current_gradient_accumulation_steps = trainer.args.steps_per_generation
    mask = output["completion_mask"] * output["tool_mask"]
    left = mask.sum(1) > 0
    alone = {
        name: value[left] if value.dim() and len(value) == len(left) else value
        for name, value in output.items()
    }
    del alone["tool_mask"]
    alone["num_items_in_batch"] = mask.sum()
    found = {"left": left.float().mean().item()}
    for loss in ("dapo", "cispo", "vespo", "grpo", "sapo", "dr_grpo", "luspo"):
        trainer.loss_type = loss
        found[loss] = [compute_gradient(trainer, each) for each in (output, alone)]
    return found


def main(folder, script):
    from masa_control.integrations.trl import GatedGRPOTrainer

    kept = {}
    record_batches(GatedGRPOTrainer, folder, kept)
    trainer = runpy.run_path(script)["trainer"]
    trained = {"steps": trainer.state.global_step, "log": trainer.state.log_history}
    if trainer.accelerator.num_processes == 1:
        trained["gradients"] = compare_gradients(trainer, kept["output"])
    (Path(folder) / f"trained-{RANK}.json").write_text(json.dumps(trained))


if __name__ == "__main__":
    main(*sys.argv[1:])
