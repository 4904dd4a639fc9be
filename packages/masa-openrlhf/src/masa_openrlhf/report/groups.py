"""Which runs belong together: those whose settings are alike but for the seed and the names."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from masa_openrlhf.config.layers import flatten_settings
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.report.formatting import join_words
from masa_openrlhf.report.runs import RecordedRun

MODES = ("grpo", "masa", "masa-efficient")
"""In the order in which they are shown: the baseline first."""

# What does not change what is learned, but by chance; or says only how much is written down.
_IGNORED = ("name", "runs", "seed", "tiny.seed", "verifier.workers", "eval.every")
_IGNORED_SECTIONS = ("log.", "checkpoint.", "cluster.")
_DECISIONS = ("gate.", "cutoff.", "experts.", "hints.", "schedule.")
_UNUSED = {"grpo": ("meta.", *_DECISIONS), "masa": _DECISIONS}
_MAX_CHARACTERS = 40


@dataclass(frozen=True, slots=True)
class RunGroup:
    """Runs that differ in their seed alone.

    Attributes:
        name: the mode, and the settings in which it differs from others of that mode.
        mode: as "masa".
        runs: by seed.
        settings: what they share, flatten_settings.
    """

    name: str
    mode: str
    runs: tuple[RecordedRun, ...]
    settings: Mapping[str, str]

    @property
    def predicts(self) -> bool:
        """Whether its runs make predictions."""
        return self.mode != "grpo"

    @property
    def decides(self) -> bool:
        """Whether predictions decide what is rolled out."""
        return self.mode == "masa-efficient"


def group_runs(runs: Sequence[RecordedRun]) -> list[RunGroup]:
    """Put runs with the same settings together, the baseline first.

    Args:
        runs: to be compared.

    Returns:
        The groups. Two of one mode are named by what differs between them, as "masa, meta.weight
        0.2".
    """
    alike: dict[tuple[str, ...], list[RecordedRun]] = {}
    shared: dict[tuple[str, ...], dict[str, str]] = {}
    for run in runs:
        settings = _read_settings(run)
        key = (run.mode, *(f"{name}={value}" for name, value in sorted(settings.items())))
        alike.setdefault(key, []).append(run)
        shared[key] = settings
    found = []
    for key, members in alike.items():
        same = [shared[other] for other in alike if other[0] == key[0]]
        differs = _differing_names(same)
        parts = [f"{name} {_shorten_value(shared[key].get(name))}" for name in differs]
        found.append(
            RunGroup(
                name=", ".join([key[0], *parts]),
                mode=key[0],
                runs=tuple(sorted(members, key=lambda run: (run.seed, run.name))),
                settings=shared[key],
            )
        )
    return sorted(found, key=lambda group: (_mode_order(group.mode), group.name))


def list_differences(groups: Sequence[RunGroup]) -> list[tuple[str, list[str]]]:
    """Return the settings in which groups differ beside the mode: name, and a value a group.

    A setting that does nothing in a mode is not counted as different there.
    """
    names = sorted({name for group in groups for name in group.settings})
    found = []
    for name in names:
        values = [group.settings.get(name) for group in groups]
        if len({value for value in values if value is not None}) > 1:
            found.append((name, [_shorten_value(value) for value in values]))
    return found


def _read_settings(run: RecordedRun) -> dict[str, str]:
    base = flatten_settings(TrainConfig().model_dump(mode="json"))
    # An older run lacks what came since: it had it at its default.
    whole = {**base, **flatten_settings(run.config)}
    model = str(whole.get("model.path"))
    if model.endswith("first-model"):  # made on the spot, in the run's own folder
        whole["model.path"] = None
    if str(whole["optim.schedule"]).startswith("constant"):
        del whole["max_steps"]  # how far it goes changes nothing before
    unused = (*_IGNORED_SECTIONS, *_UNUSED.get(run.mode, ()))
    return {
        name: json.dumps(value)
        for name, value in whole.items()
        if name not in (*_IGNORED, "mode") and not name.startswith(unused)
    }


def _differing_names(settings: Sequence[Mapping[str, str]]) -> list[str]:
    names = sorted({name for one in settings for name in one})
    return [name for name in names if len({one.get(name) for one in settings}) > 1]


def _shorten_value(value: str | None) -> str:
    if value is None:
        return "–"
    text = value.strip('"')
    return text if len(text) <= _MAX_CHARACTERS else f"{text[: _MAX_CHARACTERS - 1]}…"


def _mode_order(mode: str) -> int:
    return MODES.index(mode) if mode in MODES else len(MODES)


def join_run_names(runs: Sequence[RecordedRun]) -> str:
    """Name runs, at most four of them."""
    shown = [run.name for run in runs[:4]]
    left = len(runs) - len(shown)
    return join_words([*shown, f"{left} more"] if left else shown)
