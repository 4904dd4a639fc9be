"""The lowest layer of a run's settings: a preset, or what suits the model that is named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from masa_openrlhf.config.layers import ConfigError, flatten_settings, read_preset
from masa_openrlhf.config.sections import ClusterConfig
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.model.defaults import choose_defaults

TINY = "tiny"


def choose_base(
    preset: str | None, above: Mapping[str, Any], flags: Sequence[str]
) -> tuple[dict[str, Any], str]:
    """Return the settings that everything else goes over, and what to say of them.

    Without a preset: settings by the size of the model that is named; the tiny preset where
    nothing is named at all; the defaults where a TOML file names neither model nor data.

    Args:
        preset: the one that is asked for.
        above: what TOML files set.
        flags: the command line's.

    Raises:
        ConfigError: there is no such preset; or a model is named and no data, or data and no model.
    """
    if preset is not None:
        return read_preset(preset), ""
    model, data = (_find_value(name, above, flags) for name in ("model.path", "data.train"))
    if model is None and data is None:
        return ({}, "") if above else (read_preset(TINY), "")
    if model is None:
        raise ConfigError(
            f"data.train is {data!r}, and no model is named: the tiny model reads its own made-up "
            "problems alone. Name a model by --model.path; --preset tiny takes the tiny one"
        )
    if data is None:
        raise ConfigError(
            f"model.path is {model!r}, and no problems are named: name them by --data.train, a "
            "file or a name on the hub; --preset tiny brings made-up problems"
        )
    chosen = _choose_for_machine(model, above, flags)
    return chosen.settings, chosen.describe()


def _choose_for_machine(model: str, above: Mapping[str, Any], flags: Sequence[str]) -> Any:
    from masa_openrlhf.cpu.threads import count_cores
    from masa_openrlhf.plan.command import list_local_cards
    from masa_openrlhf.run.devices import runs_on_cpu

    device = _find_value("cluster.device", above, flags) or "auto"
    if device not in ("auto", "cpu", "gpu"):
        device = "auto"  # what is wrong with it is said where all settings are read
    cluster = ClusterConfig.model_validate({"device": device})
    try:
        on_cpu = runs_on_cpu(TrainConfig(cluster=cluster))
    except ModuleNotFoundError:
        on_cpu = False
    cards = [] if on_cpu else list_local_cards()
    return choose_defaults(model, on_cpu=on_cpu, cores=count_cores(), cards=cards)


def _find_value(name: str, above: Mapping[str, Any], flags: Sequence[str]) -> str | None:
    """Return a setting's value as flags, else files, have it; flags are not read yet here."""
    spellings = {f"--{name}", f"--{name.replace('_', '-')}"}
    found = flatten_settings(above).get(name)
    for flag, following in pairwise([*flags, ""]):
        own, equals, value = flag.partition("=")
        if own in spellings:
            found = value if equals else following
    return None if found is None else str(found)
