"""Golden figures of masa_openrlhf that need no stack: advantages, evaluation, report."""

from __future__ import annotations

import json
from random import Random
from types import SimpleNamespace
from typing import Any

import numpy as np
from masa_control.advantages import ESTIMATORS, compute_group_advantages
from masa_openrlhf.eval.engine.messages import GeneratedAnswer
from masa_openrlhf.eval.results.comparison import _compare_benchmark
from masa_openrlhf.eval.results.meta_awareness import compute_meta_metrics
from masa_openrlhf.eval.results.metrics import compute_metrics
from masa_openrlhf.eval.results.records import EvalRecord, EvalSample, LeftOutRecord, Record
from masa_openrlhf.report.analysis.bands import pool_curves
from masa_openrlhf.report.analysis.curves import Curve, make_monotone, paired_ratio, tokens_to
from masa_openrlhf.report.sections.contributions import estimate_contribution
from masa_openrlhf.report.sections.notions import notion_movements
from masa_rewards import MetaPrompt

from tests.golden.scripted_policy import NOTIONS

_ENTRY = SimpleNamespace(name="made", title="Made", family="maths", questions=40)


def list_advantages() -> list[dict[str, Any]]:
    """Return the advantages of generated batches, by every estimator."""
    rows = []
    for case in range(12):
        draw = Random(f"advantages/{case}")
        count = draw.randrange(1, 24)
        groups = [draw.choice("abcd") for _ in range(count)]
        levels = draw.choice(((0.0, 1.0), (0.0, 1 / 3, 2 / 3, 1.0), (0.1 + 0.2, 0.3)))
        rewards = [draw.choice(levels) for _ in range(count)]
        scored = [draw.random() > 0.1 for _ in range(count)]
        weights = [draw.choice((1.0, 0.25)) for _ in range(count)]
        for estimator in ESTIMATORS:
            found = compute_group_advantages(
                rewards, groups, scored, estimator=estimator, weights_N=weights
            )
            rows.append({"case": case, "estimator": estimator, "advantages": found.tolist()})
    return rows


def list_evaluations() -> list[dict[str, Any]]:
    """Return figures, meta-awareness and comparison of generated records, from few to many."""
    rows = []
    for count in (0, 1, 2, 5, 11, 40):
        now, before = (
            [_make_record(Random(f"{when}/{number}"), number) for number in range(count)]
            for when in ("now", "before")
        )
        rows.append(
            {
                "records": count,
                "figures": compute_metrics(_ENTRY, now, (1, 2, 4)).model_dump(mode="json"),
                "compared": _compare_benchmark("made", before, now).model_dump(mode="json"),
                "meta": compute_meta_metrics(now, MetaPrompt(), max_std=0.1).model_dump(
                    mode="json"
                ),
            }
        )
    for status in ("correct", "incorrect"):
        alike = [_make_record(Random(f"alike/{n}"), n, status) for n in range(6)]
        found = compute_metrics(_ENTRY, alike, (1,)).model_dump(mode="json")
        compared = _compare_benchmark("made", alike, alike).model_dump(mode="json")
        rows.append({"all": status, "figures": found, "compared": compared})
    return rows


def list_report_metrics() -> list[dict[str, Any]]:
    """Return levelled curves, bands, ratios, contributions and movements of generated runs."""
    arms = [[_make_curve(Random(f"curve/{arm}/{seed}")) for seed in range(4)] for arm in (0, 1)]
    rows: list[dict[str, Any]] = [
        {"rising": make_monotone(one.accuracy), "best": make_monotone(one.accuracy, "best")}
        for one in arms[0]
    ]
    rows += [
        {"tokens_to": [tokens_to(one, goal) for goal in (0.2, 0.35, 0.5, 0.9)]} for one in arms[1]
    ]
    for count in (1, 2, 4):
        band = pool_curves(arms[0][:count], "tokens")
        rows.append({"runs": count, "band": band})
        for method in ("t", "bootstrap"):
            ratio = paired_ratio(
                arms[0][:count], arms[1][:count], 0.4, method=method, draws=500, seed=1
            )
            rows.append({"runs": count, "method": method, "ratio": ratio})
    runs = [SimpleNamespace(notions=_make_notions(Random(f"notions/{k}"))) for k in range(3)]
    rows.append({"movements": notion_movements(runs)})
    return rows


def list_contributions() -> list[dict[str, Any]]:
    """Return what a regression shares out; its numbers come of a linear algebra library."""
    return [
        {"runs": k, "contribution": estimate_contribution(_make_series(k), seed=2)} for k in (1, 2)
    ]


def _make_record(draw: Random, number: int, status: str | None = None) -> Record:
    if status is None and draw.random() < 0.05:
        return LeftOutRecord(
            id=str(number), prompt="", gold="", left_out="too long", prompt_tokens=900
        )
    rate = draw.choice((0.0, 0.25, 0.5, 1.0))
    samples = []
    for _ in range(draw.choice((2, 4, 4))):
        usual = "correct" if draw.random() < rate else "incorrect"
        found = draw.choice(("timeout", "unparsable")) if draw.random() < 0.06 else usual
        samples.append(
            EvalSample(
                status=status or found,
                answer=None,
                detail="",
                tokens=draw.randrange(20, 300),
                truncated=draw.random() < 0.1,
                text=f"By {draw.choice(NOTIONS)}.",
            )
        )
    said = [
        {"math_notion": [draw.choice(NOTIONS)], "pass_rate": draw.randrange(9)}
        | ({"solution_length": draw.randrange(100, 300)} if draw.random() < 0.8 else {})
        for _ in range(3)
    ]
    return EvalRecord(
        id=str(number),
        prompt="",
        gold="",
        right=sum(sample.correct for sample in samples),
        samples=tuple(samples),
        predictions=tuple(
            GeneratedAnswer(text=json.dumps(one), tokens=9, truncated=False) for one in said
        ),
        statement=f"Case {number}.",
        prompt_tokens=50 + number,
        seed=0,
    )


def _make_curve(draw: Random) -> Curve:
    places = list(range(8))
    tokens = [1000.0 * place + draw.randrange(500) for place in places]
    accuracy = [min(1.0, max(0.0, 0.08 * place + draw.randrange(-9, 10) / 80)) for place in places]
    return Curve(
        tuple(tokens), tuple(map(float, places)), tuple(2.0 * p for p in places), tuple(accuracy)
    )


def _make_notions(draw: Random) -> list[dict[str, Any]]:
    steps = []
    for step in range(9):
        counts = {}
        for place, notion in enumerate(NOTIONS[:6]):
            right, wrong = draw.randrange(20, 40), draw.randrange(20, 40)
            share = min(0.9, 0.1 + 0.08 * (step if place % 2 else 8 - step))
            among = [
                sum(draw.random() < one for _ in range(n))
                for one, n in ((share, right), (0.3, wrong))
            ]
            counts[notion] = [*among, right, wrong]
        steps.append({"notions": counts})
    return steps


def _make_series(runs: int) -> list[Any]:
    series = []
    for run in range(runs):
        draw = Random(f"series/{run}")
        rows = []
        for step in range(60):
            length, difficulty, notion = draw.random(), draw.random(), draw.random()
            accuracy = 0.2 * length + 0.5 * notion + 0.004 * step + 0.1 * draw.random()
            rows.append([length, difficulty, notion, float(step), accuracy])
        series.append(np.array(rows))
    return series
