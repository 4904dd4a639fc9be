"""The reader that settings ask for."""

from __future__ import annotations

from masa_control.readers.history import HistoryReader
from masa_control.readers.protocol import Reader, ReaderNeeds
from masa_control.readers.settings import (
    HistoryReaderSettings,
    ProbeReaderSettings,
    ReaderSettings,
    WordsReaderSettings,
)

_NEEDS: dict[str, ReaderNeeds] = {
    "sampled": "predictions",
    "distribution": "predictions",
    "words": "prompt",
    "probe": "hidden",
    "history": "nothing",
}


def build_reader(settings: ReaderSettings) -> Reader | None:
    """Return a reader that learns of outcomes; None where predictions of the policy are read."""
    if isinstance(settings, HistoryReaderSettings):
        return HistoryReader(settings)
    if not isinstance(settings, WordsReaderSettings | ProbeReaderSettings):
        return None
    # Here, since numpy takes as long to import as all the settings, and a command's help has both.
    from masa_control.readers.regression_reader import ProbeReader, WordsReader

    if isinstance(settings, WordsReaderSettings):
        return WordsReader(settings)
    return ProbeReader(settings)


def find_reader_needs(settings: ReaderSettings) -> ReaderNeeds:
    """Return what a reader has to be shown."""
    return _NEEDS[settings.rule]
