"""Data sets of the Hugging Face hub, by name: told at once where it cannot be reached."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from masa_openrlhf.data.errors import DataError, UnreachableDataError
from masa_openrlhf.data.forms import find_subset
from masa_openrlhf.hub import REACH_SECONDS, ask_within


def load_from_hub(name: str, subset: str | None, split: str) -> Any:
    """Return the rows of a data set on the hub; of a copy in the cache, where that is all there is.

    Args:
        name: its name, as "openai/gsm8k".
        subset: its configuration; None: the one of its form, else the hub's default.
        split: the split.

    Raises:
        DataError: datasets is not installed; the hub cannot be reached and the cache has no copy;
            there is no such data set, subset or split.
    """
    try:
        unreachable = find_hub_fault(name)
    except ModuleNotFoundError as error:
        raise _make_missing_error(name) from error
    chosen = subset or find_subset(name)
    if unreachable is not None and not _may_be_cached(name):
        raise UnreachableDataError(_explain_unreachable(name, chosen, split, unreachable))
    try:
        import datasets
    except ModuleNotFoundError as error:
        raise _make_missing_error(name) from error
    try:
        with _work_offline(unreachable is not None):
            return datasets.load_dataset(name, chosen, split=split)
    except Exception as error:  # many kinds, by what is wrong with the name or the network
        if unreachable is not None:
            raise UnreachableDataError(
                _explain_unreachable(name, chosen, split, unreachable)
            ) from error
        hint = ": set data.subset" if "config" in str(error).lower() else ""
        hint = ": set data.split" if "split" in str(error).lower() else hint
        raise DataError(f"{_name_data(name, chosen, split)}: {_first_line(error)}{hint}") from error


def find_hub_fault(name: str) -> str | None:
    """Return why the hub cannot be reached; None where it answers, be it that it has no such name.

    A look-up that hangs, as of a name server that does not answer, ends with the wait.
    """
    import huggingface_hub
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled

    try:
        ask_within(lambda: huggingface_hub.HfApi().dataset_info(name, timeout=REACH_SECONDS))
    except OfflineModeIsEnabled:
        return "HF_HUB_OFFLINE is set"
    except HfHubHTTPError:  # it answered: load_dataset says better what is wrong
        return None
    except Exception as error:
        return _first_line(error)
    return None


@contextmanager
def _work_offline(wanted: bool) -> Iterator[None]:
    """Let datasets look into its cache alone: else it would try the network for minutes."""
    if not wanted:
        yield
        return
    import datasets.config
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE, datasets.config.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = datasets.config.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE, datasets.config.HF_HUB_OFFLINE = before


def _may_be_cached(name: str) -> bool:
    """Whether datasets may have a copy, told without the seconds that importing it takes."""
    from huggingface_hub.constants import HF_HOME

    cache = Path(os.environ.get("HF_DATASETS_CACHE") or Path(HF_HOME) / "datasets")
    owner, _, last = name.rpartition("/")
    return any(cache.expanduser().glob(f"{owner}___*" if owner else f"{last}*"))


def _make_missing_error(name: str) -> DataError:
    return DataError(
        f"{name!r} is a name on the hub, and the package datasets is not installed: "
        "`pip install datasets`, or name a file"
    )


def _name_data(name: str, subset: str | None, split: str) -> str:
    chosen = f"subset {subset!r}, " if subset else ""
    return f"the hub's {name!r}, {chosen}split {split!r}, cannot be read"


def _explain_unreachable(name: str, subset: str | None, split: str, why: str) -> str:
    return (
        f"{_name_data(name, subset, split)}: the hub is out of reach ({why}), and the cache has no "
        "copy. Where there is a network, `datasets.load_dataset(...).save_to_disk(FOLDER)` makes "
        "a folder that data.train takes, as it does a file"
    )


def _first_line(error: Exception) -> str:
    text = str(error).strip()
    return f"{type(error).__name__}: {text.splitlines()[0] if text else 'no more is said'}"
