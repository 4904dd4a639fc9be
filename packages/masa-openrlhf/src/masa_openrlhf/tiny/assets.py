"""Making the model and the problems once, and finding them again.

The model of the preset comes with the package, as ``python -m masa_openrlhf.tiny.ship`` made it, so
that a first run need not wait for its warm-up. Another seed's is made on the spot.
"""

from __future__ import annotations

import ast
import hashlib
import json
import shutil
from pathlib import Path
from typing import NamedTuple

from masa_openrlhf.cache import fill_once
from masa_openrlhf.tiny.task import ChainProblem, make_problems
from masa_openrlhf.tiny.warmup import Progress, WarmUpSettings, warm_up_model

SHIPPED = Path(__file__).parent / "shipped"
"""The folder of the model that comes with the package, with the key that it was made under."""
KEY_FILE = "key.txt"
RESERVED = 64
"""Problems that every warm-up leaves out: with so many held out or fewer, the model is the same."""


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
    """Return a digest of this package's code: other code makes other assets, other words do not."""
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(_drop_docstrings(file.read_text(encoding="utf-8")).encode())
    return digest.hexdigest()


def _drop_docstrings(source: str) -> str:
    """Return the lines of code, without those of texts that stand for themselves."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            last = node.end_lineno or node.lineno
            lines[node.lineno - 1 : last] = [""] * (last - node.lineno + 1)
    return "\n".join(line for line in lines if line.strip())


def _cache_key(**depends_on: object) -> str:
    depends_on["source"] = _digest_source()
    return hashlib.sha256(json.dumps(depends_on, sort_keys=True).encode()).hexdigest()[:16]


def find_model_key(seed: int, held_out: int, settings: WarmUpSettings) -> str:
    """Return the key of a model: what it depends on, the code that makes it included."""
    reserved = max(held_out, RESERVED)
    return _cache_key(seed=seed, held_out=reserved, settings=settings._asdict())


def copy_shipped_model(key: str, folder: Path) -> bool:
    """Copy the model that comes with the package, if it is the one of ``key``; say whether."""
    stated = SHIPPED / KEY_FILE
    if not stated.is_file() or stated.read_text(encoding="utf-8").strip() != key:
        return False
    shutil.copytree(SHIPPED, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(KEY_FILE))
    return True


def _write_problems(file: Path, problems: list[ChainProblem]) -> None:
    rows = (
        {"problem": p.problem, "answer": p.answer, "id": p.id, "kind": p.kind} for p in problems
    )
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _make_model(
    folder: Path,
    seed: int,
    reserved: list[ChainProblem],
    settings: WarmUpSettings,
    progress: Progress,
) -> None:
    progress(0.0, "loading torch and transformers")
    import torch

    from masa_openrlhf.tiny.model import make_model
    from masa_openrlhf.tiny.tokenizer import make_tokenizer

    tokenizer = make_tokenizer()
    model = make_model(tokenizer, seed)
    exclude = {problem.problem for problem in reserved}
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
            everything is there already, or the model is the one that comes with the package.
        settings: Of the warm-up; `WarmUpSettings()` when None.

    Returns:
        The paths.
    """
    settings = settings or WarmUpSettings()
    reserved = make_problems(max(held_out, RESERVED), 2 * seed + 1)
    held = reserved[:held_out]

    def make_data(folder: Path) -> None:
        exclude = {problem.problem for problem in held}
        _write_problems(folder / "train.jsonl", make_problems(problems, 2 * seed, exclude=exclude))
        _write_problems(folder / "eval.jsonl", held)

    model_key = find_model_key(seed, held_out, settings)

    def make_weights(folder: Path) -> None:
        if not copy_shipped_model(model_key, folder):
            tell = progress or (lambda _share, _message: None)
            _make_model(folder, seed, reserved, settings, tell)

    data_key = _cache_key(seed=seed, problems=problems, held_out=held_out)
    data = fill_once(cache_dir / f"problems-{data_key}", make_data)
    model_dir = fill_once(cache_dir / f"model-{model_key}", make_weights)
    return TinyAssets(model_dir, data / "train.jsonl", data / "eval.jsonl")
