"""The nearest names to one that nobody knows: ours first, then OpenRLHF's."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

_SYNONYMS = {
    "learning_rate": "lr",
    "batch_size": "problems",
    "max_length": "max_tokens",
    "max_new_tokens": "max_tokens",
    "num_generations": "rollouts",
    "n_samples": "rollouts",
    "num_epochs": "epochs",
    "output_dir": "runs",
    "dataset": "train",
    "gpus": "gpus_per_node",
}
"""Names that other trainers give to the last part of a setting."""

_CLOSE = 0.75
_MOST = 3


def suggest_settings(name: str, known: Iterable[str]) -> list[str]:
    """Return the settings that a name nobody knows is likely to mean, at most three.

    Examples:
        >>> known = ["max_steps", "optim.lr", "model.path", "meta.rollouts", "solution.rollouts"]
        >>> suggest_settings("max-step", known), suggest_settings("lr", known)
        (['max_steps'], ['optim.lr'])
        >>> suggest_settings("optim.learning_rate", known), suggest_settings("model", known)
        (['optim.lr'], ['model.path'])

    Args:
        name: with dots and with dashes or underscores, without the dashes in front.
        known: the names of all settings.

    Returns:
        The section's setting of the same last part (or what other trainers call it), the first one
        of the section of that name, those that are spelt alike; without a section those of any with
        that last part. None where nothing is near.
    """
    name, known = name.replace("-", "_"), list(known)
    section, _, last = name.rpartition(".")
    meant = _SYNONYMS.get(last, last)
    same_last = [each for each in known if each.rpartition(".")[2] == meant]
    own = [each for each in same_last if each.rpartition(".")[0] == section]
    alike = difflib.get_close_matches(name, known, n=_MOST, cutoff=_CLOSE)
    if section:
        alike = [each for each in alike if each.startswith(f"{section}.")] or alike
    inside = [each for each in known if each.startswith(f"{name}.")][:1]
    found = [*own, *inside, *alike, *(same_last if not section else [])]
    if not found and not section:
        found = _match_last_parts(name, known)
    return list(dict.fromkeys(found))[:_MOST]


def _match_last_parts(name: str, known: Sequence[str]) -> list[str]:
    """Settings of sections whose last part is spelt alike."""
    lasts = {each.rpartition(".")[2] for each in known}
    near = difflib.get_close_matches(name, sorted(lasts), n=1, cutoff=_CLOSE)
    return [each for each in known if each.rpartition(".")[2] in near]


def format_flags(names: Sequence[str]) -> str:
    """Return names of settings as flags, with "or" between."""
    return " or ".join("--" + name.replace("_", "-") for name in names)
