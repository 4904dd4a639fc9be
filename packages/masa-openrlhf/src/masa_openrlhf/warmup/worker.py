"""One supervised stage, in a process of its own: transformers' Trainer on demonstrations.

Reads a ``TrainingJob`` from the file it is given, writes a line of JSON a step to stdout, and ends
when the model is saved. A process of its own: threads and devices are set before torch is imported,
and a GPU's memory is free again for vLLM when it ends.
"""

from __future__ import annotations

import json
import math
import os
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from pydantic import BaseModel, ConfigDict

from masa_openrlhf.run.processes import die_with_parent
from masa_openrlhf.warmup.batches import make_batches

_IGNORED = -100
"""Label of a token that is not learned."""

_RATE = 1.2
"""Learning rate x sqrt(parameters): 1e-4 for 0.135 B, 1.3e-5 for 8 B."""


class TrainingJob(BaseModel):
    """What is to be trained.

    Attributes:
        model: folder or hub name of the model to begin with.
        out: folder that gets the trained model, in bfloat16.
        demonstrations: (prompt, response) each, as token ids.
        pad: id of the token that fills rows up.
        epochs: passes over the demonstrations.
        lr: learning rate at its highest; None: by the model's size.
        batch_tokens: of an optimiser step, padding counted.
        max_norm: gradients are clipped to it.
        checkpointing: recompute activations.
        on_cpu: no GPU is used.
        attention: implementation of the attention; None: transformers' choice.
        seed: of the order of batches.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    out: str
    demonstrations: list[tuple[list[int], list[int]]]
    pad: int
    epochs: int
    lr: float | None
    batch_tokens: int
    max_norm: float
    checkpointing: bool
    on_cpu: bool
    attention: str | None = None
    seed: int


def main() -> None:
    """Train as the file says that is the only argument."""
    die_with_parent()
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # stdout is for progress alone
    run_job(TrainingJob.model_validate_json(Path(sys.argv[1]).read_text("utf-8")), out)


def run_job(job: TrainingJob, progress: IO[str]) -> None:
    """Train, and save the model.

    The weights are held in float32, and multiplied in bfloat16 where the device has a fast way to.

    Args:
        job: what is to be trained.
        progress: gets a line of JSON a step: step, steps, loss.
    """
    import torch
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(
        job.model, dtype=torch.float32, attn_implementation=job.attention
    )
    model.config.use_cache = False
    _train_model(model, job, progress)
    model.config.use_cache = True
    model.to(torch.bfloat16).save_pretrained(job.out)


def choose_rate(parameters: int) -> float:
    """Return a learning rate for a model of so many parameters: 1.2 / sqrt(parameters)."""
    return _RATE / math.sqrt(parameters)


def collate_rows(rows: Sequence[tuple[list[int], list[int]]], pad: int) -> dict[str, Any]:
    """Return padded rows as the model takes them: ids, mask and labels, [rows, longest] each.

    Labels of prompts and of padding are -100: the loss is the mean over the responses' tokens.
    """
    import torch

    width = max(len(prompt) + len(response) for prompt, response in rows)
    ids = torch.full((len(rows), width), pad)
    mask = torch.zeros((len(rows), width), dtype=torch.long)
    labels = torch.full((len(rows), width), _IGNORED)
    for index, (prompt, response) in enumerate(rows):
        end = len(prompt) + len(response)
        ids[index, :end] = torch.tensor([*prompt, *response])
        mask[index, :end] = 1
        labels[index, len(prompt) : end] = ids[index, len(prompt) : end]
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def _train_model(model: Any, job: TrainingJob, progress: IO[str]) -> None:
    """Train in place, by transformers' Trainer with batches of ours."""
    from torch.utils.data import DataLoader
    from transformers import PrinterCallback, Trainer, TrainerCallback

    rng = random.Random(f"warm-up batches {job.seed}")
    lengths = [len(prompt) + len(response) for prompt, response in job.demonstrations]
    batches = make_batches(lengths, job.batch_tokens, job.epochs, rng)

    class BatchTrainer(Trainer):
        def get_train_dataloader(self) -> Any:
            return DataLoader(
                self.train_dataset,
                batch_sampler=batches,
                collate_fn=lambda rows: collate_rows(rows, job.pad),
            )

    class ProgressLines(TrainerCallback):
        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if logs and "loss" in logs:
                line = {"step": state.global_step, "steps": state.max_steps, "loss": logs["loss"]}
                print(json.dumps(line), file=progress, flush=True)

    trainer = BatchTrainer(
        model=model,
        args=_make_arguments(job, choose_rate(model.num_parameters())),
        train_dataset=job.demonstrations,
        callbacks=[ProgressLines()],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.train()


def _make_arguments(job: TrainingJob, rate: float) -> Any:
    from transformers import TrainingArguments

    from masa_openrlhf.cpu.bfloat16 import has_native_bfloat16

    return TrainingArguments(
        output_dir=job.out,
        num_train_epochs=1,  # the batches are those of all epochs
        learning_rate=job.lr or rate,
        lr_scheduler_type="cosine",
        warmup_steps=0.1,
        weight_decay=0.0,
        max_grad_norm=job.max_norm,
        gradient_checkpointing=job.checkpointing,
        bf16=not job.on_cpu or has_native_bfloat16(),
        use_cpu=job.on_cpu,
        seed=job.seed,
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )


if __name__ == "__main__":
    main()
