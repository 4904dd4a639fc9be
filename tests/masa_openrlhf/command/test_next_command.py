"""The command by which train goes on from a warm-up."""

from pathlib import Path

import pytest
from masa_openrlhf.command.next_command import list_training_arguments


@pytest.mark.parametrize(
    ("preset", "files", "flags", "expected"),
    [
        (None, [], [], []),
        ("tiny", ["a.toml", "b.toml"], [], ["--preset", "tiny", *["--config", "a.toml"]]),
        (
            None,
            [],
            ["--model.path=m", "--meta.signals", "a:B", "c:D", "--warmup.held-out", "5", "--pack"],
            ["--meta.signals", "a:B", "c:D", "--pack"],
        ),
        (None, [], ["--model.path", "m", "--warmup.epochs=9", "--seed", "3"], ["--seed", "3"]),
    ],
)
def test_settings_are_kept_but_for_the_model_and_the_warm_up(preset, files, flags, expected):
    found = list_training_arguments(preset, [Path(f) for f in files], flags, Path("warm"))
    if files:
        expected = [*expected, "--config", "b.toml"]
    assert found == ["train", *expected, "--model.path", "warm"]
