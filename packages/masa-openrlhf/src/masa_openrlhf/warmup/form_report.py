"""How much of a model's answers can be read: before the warm-up and after it."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence

from masa_rewards import MetaPrompt
from masa_rewards.missing import COMPONENTS
from masa_rewards.statistics import mean_known
from pydantic import BaseModel, ConfigDict
from rich.table import Table

from masa_openrlhf.eval.engine.messages import GeneratedAnswer
from masa_openrlhf.warmup.observations import ObservedProblem


class FormShares(BaseModel):
    """How much of a model's answers can be read, and what they are worth.

    Attributes:
        problems: asked.
        answers: solutions sampled.
        readable_answers: share that states an answer that can be read, in [0, 1].
        truncated_answers: share that was cut off at the limit.
        predictions: sampled; 0 where none are asked for.
        readable_parts: share of the predictions in which each part can be read, by part.
        truncated_predictions: share that was cut off at the limit; None without predictions.
        pass_rates: how many problems have a pass rate, by the pass rate.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    problems: int
    answers: int
    readable_answers: float | None
    truncated_answers: float | None
    predictions: int
    readable_parts: dict[str, float]
    truncated_predictions: float | None
    pass_rates: dict[float, int]

    @property
    def readable_predictions(self) -> float | None:
        """Mean share over the parts; None without predictions."""
        return mean_known(self.readable_parts.values())

    @property
    def pass_at_1(self) -> float | None:
        """Mean pass rate; None where nothing could be judged."""
        rates = list(Counter(self.pass_rates).elements())
        return statistics.fmean(rates) if rates else None

    @property
    def mixed(self) -> float | None:
        """Share of the problems that are solved sometimes: those that RL learns from."""
        judged = sum(self.pass_rates.values())
        ends = sum(count for rate, count in self.pass_rates.items() if rate in (0.0, 1.0))
        return (judged - ends) / judged if judged else None

    def reaches(self, aim: float) -> bool:
        """Whether the share of readable answers, and of each prediction part, is at least this."""
        shares = [self.readable_answers or 0.0, *self.readable_parts.values()]
        return min(shares) >= aim


def measure_form(
    observed: Sequence[ObservedProblem], predictions: Sequence[GeneratedAnswer], prompt: MetaPrompt
) -> FormShares:
    """Return how much can be read.

    Args:
        observed: problems with their solutions and verdicts.
        predictions: all answers to their meta prompts; none where none were asked for.
        prompt: reads them.
    """
    verdicts = [verdict for one in observed for verdict in one.verdicts]
    answers = [answer for one in observed for answer in one.answers]
    read = [prompt.parse(answer.text) for answer in predictions]
    missing = Counter(part for prediction in read for part in prediction.missing)
    rates = Counter(one.pass_rate for one in observed if one.pass_rate is not None)
    return FormShares(
        problems=len(observed),
        answers=len(answers),
        readable_answers=_compute_share([v.status != "unparsable" for v in verdicts]),
        truncated_answers=_compute_share([answer.truncated for answer in answers]),
        predictions=len(read),
        readable_parts={part: 1 - missing[part] / len(read) for part in COMPONENTS if read},
        truncated_predictions=_compute_share([answer.truncated for answer in predictions]),
        pass_rates=dict(sorted(rates.items())),
    )


def _compute_share(cases: Sequence[bool]) -> float | None:
    return sum(cases) / len(cases) if cases else None


def suggest_next(shares: FormShares, aim: float) -> list[str]:
    """Return what is against the model after the warm-up, each with the way out.

    Args:
        shares: as measured after it.
        aim: share that should be readable.
    """
    said = []
    if not shares.reaches(aim):
        said.append(
            f"less than {aim:.0%} can be read: more passes (--warmup.epochs), more problems "
            "(--warmup.problems), or a higher rate (--warmup.lr)"
        )
    if (cut := shares.truncated_answers or 0.0) > 1 - aim:
        said.append(
            f"{cut:.0%} of the solutions are cut at solution.max_tokens: raise it, or bring "
            "shorter worked solutions"
        )
    if (cut := shares.truncated_predictions or 0.0) > 1 - aim:
        said.append(f"{cut:.0%} of the predictions are cut at meta.max_tokens: raise it")
    if shares.mixed is not None and shares.mixed < 0.1 and shares.pass_at_1 is not None:
        kind = "hard: take easier problems" if shares.pass_at_1 < 0.5 else "easy: take harder ones"
        said.append(
            f"{shares.mixed:.0%} of the problems are solved sometimes, and RL learns from those "
            f"alone: they are too {kind}"
        )
    return said


def render_shares(before: FormShares, after: FormShares) -> Table:
    """Return both as a table for the terminal."""
    table = Table("held-out problems", "before", "after", box=None, pad_edge=False)

    def add(name: str, one: float | None, other: float | None) -> None:
        table.add_row(name, *("–" if s is None else f"{s:.1%}" for s in (one, other)))

    add("readable answers", before.readable_answers, after.readable_answers)
    for part in after.readable_parts:
        add(f"readable {part}", before.readable_parts.get(part), after.readable_parts[part])
    add("solutions cut off", before.truncated_answers, after.truncated_answers)
    add("pass@1", before.pass_at_1, after.pass_at_1)
    add("solved sometimes", before.mixed, after.mixed)
    table.add_row("pass rate x problems", *(_write_rates(s.pass_rates) for s in (before, after)))
    return table


def _write_rates(rates: dict[float, int]) -> str:
    return "  ".join(f"{rate:.2g} x {count}" for rate, count in rates.items()) or "–"
