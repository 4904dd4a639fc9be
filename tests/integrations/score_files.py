"""What `python -m masa_rewards score --json` says of files, for tests of what stacks write."""

import subprocess
import sys

from masa_rewards.score import Report


def score_files(*arguments):
    ended = subprocess.run(
        [sys.executable, "-m", "masa_rewards", "score", "--json", *map(str, arguments)],
        capture_output=True,
        text=True,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    return Report.model_validate_json(ended.stdout)
