"""One file from the Hugging Face hub, or a sentence within seconds."""

from __future__ import annotations

import importlib.util
from pathlib import Path

_TIMEOUT = 4.0  # s


class HubError(ValueError):
    """The hub has no such file for us."""


class HubUnreachableError(HubError):
    """The hub does not answer, or is not to be asked (HF_HUB_OFFLINE)."""


def fetch_hub_file(repository: str, name: str) -> Path:
    """Return a file of a model on the hub: from the local cache if it is there, else downloaded.

    ``hf_hub_download`` alone retries for half a minute where there is no network; here the hub is
    asked once, for four seconds at most.

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
        get_hf_file_metadata(hf_hub_url(repository, name), timeout=_TIMEOUT)
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
