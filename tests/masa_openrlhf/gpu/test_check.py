"""What the check of a GPU environment imports is there. The check itself needs that environment."""

from pathlib import Path

import masa_openrlhf
from masa_openrlhf.gpu import check


def test_the_modules_of_a_runs_processes_are_there():
    package = Path(masa_openrlhf.__file__).parent
    names = [name for names in check._PROCESS_IMPORTS for name in names]
    assert len(names) == 5
    for name in names:
        assert (package / name.replace(".", "/")).with_suffix(".py").is_file(), name
