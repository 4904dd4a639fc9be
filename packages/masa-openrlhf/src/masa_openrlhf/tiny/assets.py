"""Making the model and the problems once, and finding them again."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import NamedTuple

from masa_openrlhf.cache import fill_once
from masa_openrlhf.tiny.task import ChainProblem, make_problems
from masa_openrlhf.tiny.warmup import Progress, WarmUpSettings, warm_up_model


class TinyAssets(NamedTuple):
    """What a run needs.

    Attributes:
        model_dir: A Hugging Face folder: configuration, bfloat16 weights, tokenizer.
        train_file: JSONL of the problems to train on: `problem`, `answer`, `id`, `kind`.
        eval_file: The same of the problems held out, of the warm-up too.
    """

    model_dir: Path
    train_file: Path
    eval_file: Path


def _digest_source() -> str:
    """Return a digest of this package's source: other code makes other assets."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _cache_key(**depends_on: object) -> str:
    depends_on["source"] = _digest_source()
    return hashlib.sha256(json.dumps(depends_on, sort_keys=True).encode()).hexdigest()[:16]


def _write_problems(file: Path, problems: list[ChainProblem]) -> None:
    rows = (
        {"problem": p.problem, "answer": p.answer, "id": p.id, "kind": p.kind} for p in problems
    )
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _make_model(
    folder: Path, seed: int, held: list[ChainProblem], settings: WarmUpSettings, progress: Progress
) -> None:
    progress(0.0, "loading torch and transformers")
    import torch

    from masa_openrlhf.tiny.model import make_model
    from masa_openrlhf.tiny.tokenizer import make_tokenizer

    tokenizer = make_tokenizer()
    model = make_model(tokenizer, seed)
    exclude = {problem.problem for problem in held}
    warm_up_model(model, tokenizer, seed, settings=settings, exclude=exclude, progress=progress)
    model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def prepare_assets(
    cache_dir: Path,
    *,
    seed: int = 0,
    problems: int,
    held_out: int,
    progress: Progress | None = None,
    settings: WarmUpSettings | None = None,
) -> TinyAssets:
    """Make the model and its problems, or find those of an earlier call.

    Args:
        cache_dir: Where they are kept, in folders named by a digest of everything they depend on:
            the arguments and this package's source.
        seed: Of the weights, the demonstrations and the problems.
        problems: How many to train on.
        held_out: How many to evaluate on; they are in neither the training nor the warm-up.
        progress: Told the share of the warm-up done, and what is going on; not called when
            everything is there already.
        settings: Of the warm-up; `WarmUpSettings()` when None.

    Returns:
        The paths.
    """
    settings = settings or WarmUpSettings()
    held = make_problems(held_out, 2 * seed + 1)

    def make_data(folder: Path) -> None:
        exclude = {problem.problem for problem in held}
        _write_problems(folder / "train.jsonl", make_problems(problems, 2 * seed, exclude=exclude))
        _write_problems(folder / "eval.jsonl", held)

    def make_weights(folder: Path) -> None:
        _make_model(folder, seed, held, settings, progress or (lambda _share, _message: None))

    data_key = _cache_key(seed=seed, problems=problems, held_out=held_out)
    model_key = _cache_key(seed=seed, held_out=held_out, settings=settings._asdict())
    data = fill_once(cache_dir / f"problems-{data_key}", make_data)
    model_dir = fill_once(cache_dir / f"model-{model_key}", make_weights)
    return TinyAssets(model_dir, data / "train.jsonl", data / "eval.jsonl")
