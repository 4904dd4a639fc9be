"""Was it better than the baseline? By which evidence?"""

from __future__ import annotations

from collections.abc import Sequence

from masa_openrlhf.report.analysis.curves import Curve, PairedRatio
from masa_openrlhf.report.formatting import format_count
from masa_openrlhf.report.groups import RunGroup
from masa_openrlhf.report.runs import held_out_curve
from masa_openrlhf.report.sections import accuracy

BASELINE = "grpo"
_MOST = 3


def verdict_sentences(groups: Sequence[RunGroup]) -> list[str]:
    """Return a sentence a group that is compared with the baseline; one that says there is none.

    The ratio is that of tokens until the middle of the accuracies of the table under Accuracy, over
    pairs of runs with the same seed.
    """
    bases = [group for group in groups if group.mode == BASELINE]
    others = [group for group in groups if group.predicts]
    if not bases:
        return [
            "Whether this is better than without predictions cannot be told from here: that takes "
            "runs of the baseline beside it (--mode grpo, the same seeds), and a report of both."
        ]
    if not others:
        return []
    curves = {group.name: _read_curves(group) for group in groups}
    targets = accuracy.choose_targets([c for group in groups for c in curves[group.name]])
    if not targets:
        return ["Accuracy moved too little for a comparison of tokens."]
    target = targets[len(targets) // 2]
    paired = [(base, other) for other in others if (base := _choose_base(bases, other))]
    if not paired:
        return ["No run of the baseline shares a seed with another: nothing is compared in pairs."]
    said = [_judge_group(base, other, curves, target) for base, other in paired[:_MOST]]
    if len(paired) > _MOST:
        said.append(f"And {format_count(len(paired) - _MOST, 'comparison')} more: under Accuracy.")
    return said


def _choose_base(bases: Sequence[RunGroup], other: RunGroup) -> RunGroup | None:
    """The baseline whose settings are most like a group's, of those that share a seed with it."""
    seeds = {run.seed for run in other.runs}
    near = [base for base in bases if seeds & {run.seed for run in base.runs}]
    return min(near, key=lambda base: _count_differences(base, other), default=None)


def _count_differences(base: RunGroup, other: RunGroup) -> int:
    both = base.settings.keys() & other.settings.keys()
    return sum(base.settings[name] != other.settings[name] for name in both)


def _read_curves(group: RunGroup) -> list[Curve]:
    return [accuracy.drop_single_point(held_out_curve(run)) for run in group.runs]


def _judge_group(
    base: RunGroup, other: RunGroup, curves: dict[str, list[Curve]], target: float
) -> str:
    ratio = accuracy.compare_groups(base, other, curves, [target])[0]
    if ratio is None or ratio.value is None:
        return f"{other.name}: no pair of runs can be compared at {target:.0%} right."
    pairs = f"{format_count(ratio.pairs, 'pair')} of runs of a seed{_list_censored(ratio)}"
    used = f"on the way to {target:.0%} right it used {ratio.value:.2f} times the tokens"
    if ratio.low is None or ratio.high is None:
        return f"{other.name} and {base.name}: {used} ({pairs}, which proves nothing)."
    ends = f"95 % interval {ratio.low:.2f} to {ratio.high:.2f}; {pairs}"
    if ratio.low > 1 or ratio.high < 1:
        word = "better" if ratio.high < 1 else "worse"
        return f"{other.name} was {word} than {base.name}: {used} ({ends})."
    return f"No difference of {other.name} to {base.name} can be told: {used} ({ends})."


def _list_censored(ratio: PairedRatio) -> str:
    left_out = ratio.only_base + ratio.only_other + ratio.neither
    if not left_out:
        return ""
    return f"; in {format_count(left_out, 'further pair')} not both got there"
