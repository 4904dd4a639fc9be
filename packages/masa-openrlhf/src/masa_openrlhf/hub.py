"""One file from the Hugging Face hub, or a sentence within seconds."""

from __future__ import annotations

import importlib.util
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from pathlib import Path
from typing import TypeVar

REACH_SECONDS = 3.0
"""How long the hub is waited for before it counts as out of reach, seconds."""

_Answer = TypeVar("_Answer")


class HubError(ValueError):
    """The hub has no such file for us."""


class HubUnreachableError(HubError):
    """The hub does not answer, or is not to be asked (HF_HUB_OFFLINE)."""


def ask_within(ask: Callable[[], _Answer], seconds: float = REACH_SECONDS) -> _Answer:
    """Return what ``ask`` returns, or raise what it raises, within so many seconds.

    A timeout of a request does not bound the look-up of a name, which a name server that does not
    answer holds up for a minute. So it is asked in a thread of its own, which is left behind.

    Raises:
        TimeoutError: it took longer.
    """
    answer: Future[_Answer] = Future()

    def run() -> None:
        try:
            answer.set_result(ask())
        except BaseException as error:
            answer.set_exception(error)

    threading.Thread(target=run, name="masa-hub", daemon=True).start()
    if not wait([answer], seconds).done:
        raise TimeoutError(f"no answer within {seconds:g} s")
    return answer.result()


def fetch_hub_file(repository: str, name: str) -> Path:
    """Return a file of a model on the hub: from the local cache if it is there, else downloaded.

    ``hf_hub_download`` alone retries for half a minute where there is no network; here the hub is
    asked once, for three seconds at most.

    Args:
        repository: as ``owner/name``.
        name: the file's path in it.

    Raises:
        HubUnreachableError: no network, or the hub has a fault.
        HubError: no such model or file, or no right to read it.
    """
    if importlib.util.find_spec("huggingface_hub") is None:
        raise HubUnreachableError(
            f"{repository!r} is no folder here, and the package huggingface_hub, which asks the "
            "hub, is not installed"
        )
    from httpx import TransportError
    from huggingface_hub import (
        get_hf_file_metadata,
        hf_hub_download,
        hf_hub_url,
        try_to_load_from_cache,
    )
    from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, HFValidationError

    try:
        if isinstance(found := try_to_load_from_cache(repository, name), str):
            return Path(found)
        ask_within(
            lambda: get_hf_file_metadata(hf_hub_url(repository, name), timeout=REACH_SECONDS)
        )
        return Path(hf_hub_download(repository, name))
    except HfHubHTTPError as error:
        fault = error.response is not None and error.response.status_code >= 500
        kind = HubUnreachableError if fault else HubError
        raise kind(_describe_fault(repository, name, error)) from None
    except (TransportError, OSError) as error:
        raise HubUnreachableError(_describe_fault(repository, name, error)) from None
    except (EntryNotFoundError, HFValidationError) as error:
        raise HubError(_describe_fault(repository, name, error)) from None


def _describe_fault(repository: str, name: str, error: Exception) -> str:
    reason = str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__
    return f"no {name} of {repository!r}: it is no folder here, and the hub answers: {reason}"
