"""Errors of the operating system, as sentences."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from masa_openrlhf.run.disk import FULL_ERRORS, describe_full_disk, find_full_disk


class FileAccessError(OSError):
    """A file or a folder cannot be used; the message names it, why, and the way out."""


@contextlib.contextmanager
def explain_file_errors() -> Iterator[None]:
    """Turn errors of files and folders into sentences.

    Raises:
        FileAccessError: one of them went up: no permission, a read-only or a full disk, a file
            where a folder is wanted.
    """
    try:
        yield
    except FileAccessError:
        raise
    except OSError as error:
        if (sentence := _describe_error(error)) is None:
            raise
        raise FileAccessError(sentence) from error


def _describe_error(error: OSError) -> str | None:
    if error.errno in FULL_ERRORS:
        places = [Path.cwd(), Path(tempfile.gettempdir())]
        return describe_full_disk(error.filename or find_full_disk(places))
    if error.filename is None or error.strerror is None:
        return None
    path = os.fsdecode(error.filename)
    if isinstance(error, PermissionError):
        return (
            f"no permission to use {path} ({error.strerror.lower()}): run folders are made in "
            "`runs` below the current folder, or where --runs FOLDER says"
        )
    return f"{path} cannot be used: {error.strerror.lower()}"
