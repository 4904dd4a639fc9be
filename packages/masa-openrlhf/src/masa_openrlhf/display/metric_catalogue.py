"""What each number of ``metrics.jsonl`` is: ``python -m masa_openrlhf.display.metric_catalogue``.

A test compares what it prints with ``docs/reference/metrics.md``, and the names of real runs with
the catalogue.
"""

from __future__ import annotations

import re
import sys
from typing import NamedTuple


class MetricEntry(NamedTuple):
    """A metric, or several that are named alike.

    Attributes:
        name: as in ``metrics.jsonl``; ``<...>`` stands for a part that varies.
        unit: of the number; "share" is in [0, 1].
        meaning: a sentence.
        mode: "" for every run, else the mode or the setting that it needs.
    """

    name: str
    unit: str
    meaning: str
    mode: str = ""

    def matches(self, name: str) -> bool:
        """Whether this is the entry of a metric of that name."""
        pieces = re.split(r"<[^>]*>", self.name)
        return re.fullmatch(".+".join(map(re.escape, pieces)), name) is not None


_EFFICIENT = "masa-efficient"
_MASA = "masa"

CATALOGUE: tuple[MetricEntry, ...] = (
    MetricEntry("step", "", "Number of the step, from 1."),
    MetricEntry("time", "s", "Unix time at which the line was written."),
    MetricEntry(
        "solution/pass_rate",
        "share",
        "Mean over problems of the share of rollouts that are right: pass@1 of the step.",
    ),
    MetricEntry(
        "solution/no_variance",
        "share",
        "Problems whose rollouts are all right or all wrong: their advantages are 0.",
    ),
    MetricEntry("solution/length", "tokens", "Mean length of a solution."),
    MetricEntry("solution/truncated", "share", "Solutions that reached solution.max_tokens."),
    MetricEntry("solution/unparsable", "share", "Solutions that state no answer that can be read."),
    MetricEntry(
        "solution/verifier_failed",
        "share",
        "Solutions that could not be judged (time, memory): neither right nor wrong.",
    ),
    MetricEntry("meta/reward", "[0, 1]", "Mean meta reward: the mean of its parts.", _MASA),
    MetricEntry(
        "meta/reward_length",
        "[0, 1]",
        "Share of predicted lengths within the lengths of the right solutions.",
        _MASA,
    ),
    MetricEntry(
        "meta/reward_difficulty", "[0, 1]", "Mean of 0.01^|predicted - true pass rate|.", _MASA
    ),
    MetricEntry(
        "meta/reward_notion",
        "[0, 1]",
        "Mean share of predicted notions that occur in more right than wrong solutions.",
        _MASA,
    ),
    MetricEntry(
        "meta/reward_<signal>", "[0, 1]", "The same of a signal of your own.", "meta.signals"
    ),
    MetricEntry("meta/length", "tokens", "Mean length of a prediction.", _MASA),
    MetricEntry("meta/truncated", "share", "Predictions that reached meta.max_tokens.", _MASA),
    MetricEntry(
        "meta/unreadable_<part>",
        "share",
        "Predictions whose pass rate, length or notions (or signal) cannot be read.",
        _MASA,
    ),
    MetricEntry("meta/predicted_pass_rate", "share", "Mean predicted pass rate.", _MASA),
    MetricEntry(
        "meta/pass_rate_error", "share", "Mean distance of predicted and true pass rate.", _MASA
    ),
    MetricEntry(
        "meta/pass_rate_correlation",
        "[-1, 1]",
        "Pearson correlation of predicted and true pass rate over the problems of the step.",
        _MASA,
    ),
    MetricEntry("meta/predicted_length", "tokens", "Mean predicted length.", _MASA),
    MetricEntry("meta/correct_length", "tokens", "Mean length of the right solutions.", _MASA),
    MetricEntry(
        "meta/length_correlation", "[-1, 1]", "Pearson correlation of the two over problems.", _MASA
    ),
    MetricEntry("meta/weight", "", "Weight of predictions in the loss at this step.", _MASA),
    MetricEntry("gate/skipped", "share", "Problems that were skipped.", _EFFICIENT),
    MetricEntry("gate/skipped_<end>", "share", "Skipped as trivial, or as unsolvable.", _EFFICIENT),
    MetricEntry(
        "gate/audited",
        "share",
        "Problems that would be skipped and were rolled out at random, to estimate precision.",
        _EFFICIENT,
    ),
    MetricEntry(
        "gate/limit_<end>",
        "share",
        "Limit on the predicted pass rate in force at that end.",
        "gate.rule audited",
    ),
    MetricEntry("gate/keep", "share", "Mean probability of being kept.", "gate.rule choice"),
    MetricEntry(
        "gate/remembered", "problems", "Problems whose scores are known.", "gate.rule choice"
    ),
    MetricEntry("cutoff/cut", "share", "Solutions that were cut at their limit.", _EFFICIENT),
    MetricEntry("cutoff/max_tokens", "tokens", "Mean limit of a solution.", _EFFICIENT),
    MetricEntry(
        "cutoff/audited",
        "share",
        "Problems with a limit that run to the end at random.",
        _EFFICIENT,
    ),
    MetricEntry(
        "cutoff/margin",
        "",
        "Multiple of the predicted length at which solutions are cut.",
        "cutoff.rule calibrated",
    ),
    MetricEntry("hints/notions", "notions", "Mean notions in a hint.", "hints.rule"),
    MetricEntry(
        "hints/<what>",
        "notions",
        "Notions with a record (remembered), and those that may be hinted (eligible).",
        "hints.rule recorded",
    ),
    MetricEntry("experts/stored", "predictions", "Expert predictions in the buffer.", _MASA),
    MetricEntry(
        "experts/<what>",
        "predictions",
        "Candidates accepted since the run began, and refused, by reason.",
        _MASA,
    ),
    MetricEntry("experts/weight", "", "Weight of cloning in the loss at this step.", _MASA),
    MetricEntry("schedule/aligned_at", "step", "Step after which decisions began.", _EFFICIENT),
    MetricEntry(
        "reader/pass_rate", "share", "Mean pass rate that the reader believes in.", _EFFICIENT
    ),
    MetricEntry("reader/std", "share", "Mean standard deviation of that belief.", _EFFICIENT),
    MetricEntry("reader/error", "share", "Mean distance of belief and true pass rate.", _EFFICIENT),
    MetricEntry(
        "reader/correlation", "[-1, 1]", "Pearson correlation of the two over problems.", _EFFICIENT
    ),
    MetricEntry("reader/groups", "groups", "Groups in the window that is fitted.", "reader.rule"),
    MetricEntry("reader/problems", "problems", "Problems tried before.", "reader.rule history"),
    MetricEntry(
        "reader/<verdict>_tokens",
        "tokens",
        "Mean length of right, and of wrong solutions, by which variance is priced.",
        "gate.rule choice",
    ),
    MetricEntry("waves/rollouts", "rollouts", "Mean rollouts of a group.", "allocation.rule waves"),
    MetricEntry("waves/stopped", "share", "Groups that stopped early.", "allocation.rule waves"),
    MetricEntry(
        "waves/audited",
        "share",
        "Groups that would have stopped and went on at random.",
        "allocation.rule waves",
    ),
    MetricEntry("tokens/solution", "tokens", "Tokens of all solutions of the step."),
    MetricEntry("tokens/meta", "tokens", "Tokens of all predictions of the step."),
    MetricEntry(
        "tokens/replaced",
        "tokens",
        "Of these, tokens of solutions that were replaced and not trained on.",
        "dapo, gate.refill",
    ),
    MetricEntry("sampling/drawn", "problems", "Problems played in the step."),
    MetricEntry("sampling/replaced", "problems", "Of these, replaced by others."),
    MetricEntry("policy/loss", "", "Loss of the policy, as it is trained on."),
    MetricEntry("policy/grad_norm", "", "Norm of the gradient of the rollouts, before clipping."),
    MetricEntry("policy/grad_norm_passes", "", "Mean norm over the cloning passes.", _MASA),
    MetricEntry("policy/lr", "", "Learning rate."),
    MetricEntry("policy/clip_ratio", "share", "Tokens whose probability ratio was clipped."),
    MetricEntry("policy/kl_step", "nats", "KL per token from the policy that sampled the step."),
    MetricEntry("policy/kl_vllm", "nats", "KL per token between vLLM and the trainer."),
    MetricEntry("policy/kl_reference", "nats", "KL per token from the reference policy."),
    MetricEntry("policy/entropy", "nats", "Mean entropy per token."),
    MetricEntry(
        "policy/mismatch_filtered",
        "share",
        "Tokens left out because vLLM and the trainer differ too much on them.",
    ),
    MetricEntry(
        "policy/rolled_out_share",
        "share",
        "Share of the problems that were rolled out: scales the loss, so that skipped ones count.",
        _EFFICIENT,
    ),
    MetricEntry("time/step", "s", "Sum of the times below."),
    MetricEntry("time/generation", "s", "Rollouts, predictions and verification."),
    MetricEntry("time/score", "s", "Log-probabilities under the policy and the reference."),
    MetricEntry("time/train", "s", "Forward, backward and optimiser."),
    MetricEntry("time/broadcast", "s", "Weights to vLLM."),
    MetricEntry("overhead/step", "s", "Our own code in the step: trainer + episodes / engines."),
    MetricEntry("overhead/share", "share", "overhead/step of time/step."),
    MetricEntry("overhead/verification_wait", "s", "Mean wait of a problem for its verdicts."),
    MetricEntry("overhead/<part>", "s", "Seconds of one part in all processes."),
    MetricEntry("ledger/problems", "count", "Problems since the run began."),
    MetricEntry("ledger/<kind>_rollouts", "count", "Solutions and predictions since then."),
    MetricEntry("ledger/<kind>_tokens", "tokens", "Their tokens."),
    MetricEntry("ledger/cloned_sequences", "count", "Expert predictions cloned.", _MASA),
    MetricEntry("ledger/verdict_<status>", "count", "Solutions by what verification came to."),
    MetricEntry(
        "ledger/unreadable_<part>_<reason>",
        "count",
        "Predictions by what could not be read.",
        _MASA,
    ),
    MetricEntry("ledger/unreadable_signal_<key>", "count", "Likewise.", "meta.signals"),
    MetricEntry("ledger/steps_without_update", "steps", "Steps with nothing to train on."),
    MetricEntry("ledger/planned", "count", "Problems that were decided on.", _EFFICIENT),
    MetricEntry("ledger/skipped_<end>", "count", "Problems skipped.", _EFFICIENT),
    MetricEntry("ledger/<decision>_audits", "count", "Audits of gate and cutoff.", _EFFICIENT),
    MetricEntry("ledger/hinted", "count", "Problems solved with a hint.", "hints.rule"),
    MetricEntry(
        "ledger/undecided_predictions",
        "count",
        "Problems of which too few predictions could be read: never skipped.",
        _EFFICIENT,
    ),
    MetricEntry("ledger/rollouts_<what>", "count", "Rollouts cut, and not made.", _EFFICIENT),
    MetricEntry(
        "ledger/groups_<what>", "count", "Groups cut whole, grown in waves, stopped.", _EFFICIENT
    ),
    MetricEntry("ledger/wave_audits", "count", "Audited waves.", "allocation.rule waves"),
    MetricEntry(
        "ledger/<decision>_<figure>",
        "share",
        "Precision, recall and F1 of gate, cutoff and waves, estimated from audits by inverse "
        "probability; `_low` and `_high` are the ends of the 95 % interval.",
        _EFFICIENT,
    ),
    MetricEntry(
        "ledger/<decision>_tokens_saved",
        "tokens",
        "Tokens saved since the run began, estimated likewise, with `_low` and `_high`.",
        _EFFICIENT,
    ),
)

_HEAD = """\
# Metrics

Generated from the code by `python -m masa_openrlhf.display.metric_catalogue`. A line of
`metrics.jsonl` holds the numbers of one step; TensorBoard and W&B get the same. A number that a
step does not define (a correlation over fewer than two values, a mean over nothing) is left out,
never invented.
"In" names the mode or the setting that a metric needs; empty: every run.
"""


def find_metric(name: str) -> MetricEntry | None:
    """Return the entry of a metric, the most particular one; None where there is none."""
    found = [entry for entry in CATALOGUE if entry.matches(name)]
    return min(found, key=lambda entry: entry.name.count("<"), default=None)


def render_metrics_page() -> str:
    """Return the page as Markdown, a table an area."""
    areas: dict[str, list[MetricEntry]] = {}
    for entry in CATALOGUE:
        area, slash, _ = entry.name.partition("/")
        areas.setdefault(area if slash else "every line", []).append(entry)
    lines = [_HEAD]
    for area, entries in areas.items():
        lines += [f"## {area}", "", "| metric | unit | meaning | in |", "|---|---|---|---|"]
        lines += [f"| `{e.name}` | {e.unit} | {e.meaning} | {e.mode} |" for e in entries]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(render_metrics_page())
