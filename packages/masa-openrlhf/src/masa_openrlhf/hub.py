"""One file from the Hugging Face hub, or a sentence within seconds."""

from __future__ import annotations

from pathlib import Path

_TIMEOUT = 4.0  # s


class HubError(ValueError):
    """The hub does not answer, or has no such file for us."""


def fetch_hub_file(repository: str, name: str) -> Path:
    """Return a file of a model on the hub: from the local cache if it is there, else downloaded.

    ``hf_hub_download`` alone retries for half a minute where there is no network; here the hub is
    asked once, for four seconds at most.

    Args:
        repository: as ``owner/name``.
        name: the file's path in it.

    Raises:
        HubError: no network, no such model or file, or no right to read it.
    """
    from httpx import HTTPError
    from huggingface_hub import (
        get_hf_file_metadata,
        hf_hub_download,
        hf_hub_url,
        try_to_load_from_cache,
    )
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError

    try:
        if isinstance(found := try_to_load_from_cache(repository, name), str):
            return Path(found)
        get_hf_file_metadata(hf_hub_url(repository, name), timeout=_TIMEOUT)
        return Path(hf_hub_download(repository, name))
    except (HfHubHTTPError, HFValidationError, HTTPError, OSError) as error:
        reason = str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__
        raise HubError(
            f"no {name} of {repository!r}: it is no folder here, and the hub answers: {reason}"
        ) from None
