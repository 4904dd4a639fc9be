"""The supervised warm-up: from random weights to a policy that is worth training further.

Plain torch on one core. The policy sees prompts exactly as later in RL (the chat template around
the solution prompt or the meta prompt) and learns to continue them as the demonstrations do; the
loss is on the continuation alone.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from masa_openrlhf.tiny.demonstrations import write_meta_demo, write_solution_demo
from masa_openrlhf.tiny.task import RECIPES, ChainKind, ChainProblem, make_problems
from masa_openrlhf.tiny.tokenizer import render_chat_prompt
from masa_openrlhf.tiny.wording import META_TEMPLATE, SOLUTION_TEMPLATE

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerFast, Qwen3ForCausalLM

Progress = Callable[[float, str], None]
"""Called with the share done, from 0 to 1, and what is going on."""


class WarmUpSettings(NamedTuple):
    """How long and how hard to train.

    Attributes:
        careful_steps: Optimiser steps on careful solutions of long problems: the most arithmetic
            for a token, without the noise of guesses.
        mixed_steps: Optimiser steps after them, on the task as it is.
        batch: Demonstrations a step.
        chunks: Forward and backward passes a step.
        meta_share: Share of the demonstrations that are predictions; a third of it at first.
        matrix_rate: Peak learning rate of the weight matrices, which Muon trains.
        other_rate: Peak learning rate of embeddings and norms, which AdamW trains.
        max_norm: Gradients are clipped to this norm.
    """

    careful_steps: int = 110
    mixed_steps: int = 260
    batch: int = 64
    chunks: int = 2
    meta_share: float = 0.15
    matrix_rate: float = 0.04
    other_rate: float = 8e-3
    max_norm: float = 1.0

    @property
    def steps(self) -> int:
        """All optimiser steps."""
        return self.careful_steps + self.mixed_steps


class Demonstration(NamedTuple):
    """A prompt and its continuation, end token included, as token ids."""

    prompt: list[int]
    response: list[int]


def encode_demonstrations(
    tokenizer: PreTrainedTokenizerFast, texts: Sequence[tuple[str, str]]
) -> list[Demonstration]:
    """Return the demonstrations of prompts, as they are put to the policy, and their responses."""
    prompts = [render_chat_prompt(tokenizer, prompt) for prompt, _ in texts]
    responses = [response for _, response in texts]
    prompt_ids = tokenizer(prompts, add_special_tokens=False)["input_ids"]
    response_ids = tokenizer(responses, add_special_tokens=False)["input_ids"]
    return [
        Demonstration(prompt, [*response, tokenizer.eos_token_id])
        for prompt, response in zip(prompt_ids, response_ids, strict=True)
    ]


def make_demonstrations(
    tokenizer: PreTrainedTokenizerFast,
    problems: list[ChainProblem],
    rng: random.Random,
    meta_share: float,
    *,
    careful: bool = False,
) -> list[Demonstration]:
    """Return one demonstration for each problem, of a prediction or of a solution."""
    texts = []
    for problem in problems:
        if rng.random() < meta_share:
            texts.append(
                (META_TEMPLATE.format(problem=problem.problem), write_meta_demo(problem, rng))
            )
        else:
            prompt = SOLUTION_TEMPLATE.format(problem=problem.problem)
            texts.append((prompt, write_solution_demo(problem, rng, careful=careful)))
    return encode_demonstrations(tokenizer, texts)


def compute_response_loss(
    model: Qwen3ForCausalLM, rows: list[Demonstration], pad: int
) -> torch.Tensor:
    """Return the summed negative log-likelihood of the response tokens.

    Rows are padded on the right, where causal attention never looks: no attention mask is needed.
    """
    import torch
    from torch.nn.functional import cross_entropy

    width = max(len(prompt) + len(response) for prompt, response in rows)
    ids = torch.full((len(rows), width), pad)
    labels = torch.full((len(rows), width), -100)
    for index, (prompt, response) in enumerate(rows):
        end = len(prompt) + len(response)
        ids[index, :end] = torch.tensor(prompt + response)
        labels[index, len(prompt) : end] = ids[index, len(prompt) : end]
    logits = model(input_ids=ids[:, :-1], use_cache=False).logits
    return cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten(), reduction="sum")


def accumulate_gradient(
    model: Qwen3ForCausalLM, rows: list[Demonstration], pad: int, chunks: int
) -> float:
    """Add the gradient of the mean loss over all response tokens; return that loss.

    Rows go through the model in chunks of similar length, which halves the padding.
    """
    rows = sorted(rows, key=lambda row: len(row.prompt) + len(row.response))
    tokens = sum(len(row.response) for row in rows)
    size = math.ceil(len(rows) / chunks)
    total = 0.0
    for start in range(0, len(rows), size):
        loss = compute_response_loss(model, rows[start : start + size], pad) / tokens
        loss.backward()
        total += loss.item()
    return total


@contextmanager
def _use_one_thread() -> Iterator[None]:
    """Use one thread: more do not help at this size, and one gives the same weights every time."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _make_batch(
    tokenizer: PreTrainedTokenizerFast,
    rng: random.Random,
    settings: WarmUpSettings,
    exclude: Collection[str],
    *,
    careful: bool,
) -> list[Demonstration]:
    kinds: tuple[ChainKind, ...] = ("long",) if careful else tuple(RECIPES)
    share = settings.meta_share / 3 if careful else settings.meta_share
    problems = make_problems(settings.batch, rng.getrandbits(32), exclude=exclude, kinds=kinds)
    return make_demonstrations(tokenizer, problems, rng, share, careful=careful)


def _make_optimizers(
    model: Qwen3ForCausalLM, settings: WarmUpSettings
) -> list[torch.optim.Optimizer]:
    """Return Muon for the weight matrices, AdamW for the rest.

    With AdamW alone the arithmetic takes more than twice the steps.
    """
    import torch

    matrices: list[torch.nn.Parameter] = []
    others: list[torch.nn.Parameter] = []
    for name, parameter in model.named_parameters():
        inner = parameter.ndim == 2 and "embed" not in name
        (matrices if inner else others).append(parameter)
    return [
        torch.optim.Muon(matrices, lr=settings.matrix_rate, weight_decay=0.0),
        torch.optim.AdamW(others, lr=settings.other_rate, betas=(0.9, 0.98)),
    ]


def _compute_rate_share(step: int, steps: int) -> float:
    """Return the share of the peak learning rate: a ramp of 5%, a cosine down to a twentieth."""
    ramp = min(1.0, (step + 1) / max(1, steps // 20))
    cosine = 0.5 * (1 + math.cos(math.pi * step / steps))
    return ramp * (0.05 + 0.95 * cosine)


def warm_up_model(
    model: Qwen3ForCausalLM,
    tokenizer: PreTrainedTokenizerFast,
    seed: int,
    *,
    settings: WarmUpSettings | None = None,
    exclude: Collection[str] = (),
    progress: Progress | None = None,
) -> list[float]:
    """Train `model` in place on fresh demonstrations.

    Args:
        model: In float32.
        tokenizer: The tiny tokenizer.
        seed: Of the demonstrations.
        settings: `WarmUpSettings()` when None.
        exclude: Texts of problems to keep out: those that are held out.
        progress: Told the share of steps done.

    Returns:
        The mean loss of a response token, for each step.
    """
    settings = settings or WarmUpSettings()
    rng = random.Random(f"tiny warm-up {seed}")

    def batches() -> Iterator[list[Demonstration]]:
        for step in range(settings.steps):
            careful = step < settings.careful_steps
            yield _make_batch(tokenizer, rng, settings, exclude, careful=careful)

    return fit_model(model, tokenizer.pad_token_id, batches(), settings=settings, progress=progress)


def fit_model(
    model: Qwen3ForCausalLM,
    pad: int,
    batches: Iterator[list[Demonstration]],
    *,
    settings: WarmUpSettings,
    progress: Progress | None = None,
) -> list[float]:
    """Train `model` in place on demonstrations of whatever task.

    Args:
        model: In float32.
        pad: Id of the token that fills rows up.
        batches: One for each of `settings.steps`.
        settings: Rates and chunks; what it says of shares and sizes is for who makes the batches.
        progress: Told the share of steps done.

    Returns:
        The mean loss of a response token, for each step.
    """
    import torch

    optimizers = _make_optimizers(model, settings)
    rates = torch.optim.lr_scheduler.LambdaLR
    schedules = [
        rates(o, lambda step: _compute_rate_share(step, settings.steps)) for o in optimizers
    ]
    losses: list[float] = []
    model.train()
    with _use_one_thread():
        for step, rows in zip(range(settings.steps), batches, strict=True):
            model.zero_grad()
            losses.append(accumulate_gradient(model, rows, pad, settings.chunks))
            torch.nn.utils.clip_grad_norm_(model.parameters(), settings.max_norm)
            for updater in (*optimizers, *schedules):
                updater.step()
            if progress is not None:
                progress((step + 1) / settings.steps, f"warm-up, loss {losses[-1]:.2f}")
    return losses
