"""On the real Ray: a cluster that is too small is refused within seconds."""

import os
import subprocess
import sys
import time

import pytest
from masa_openrlhf.run.temporary import RAY_FOLDER, make_temporary_folder

SCRIPT = """
import pathlib, ray, sys, tempfile
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.gpu.cluster import ResourceError, require_gpus
from masa_openrlhf.run.folder import RunFolder

ray.init(
    address="local", num_gpus=2, num_cpus=2, include_dashboard=False, log_to_driver=False,
    _temp_dir=sys.argv[2],
)
folder = RunFolder(pathlib.Path(sys.argv[1]))
for ranks in (2, 8):
    config = TrainConfig(cluster={"device": "gpu", "gpus_per_node": ranks})
    try:
        require_gpus(config, folder)
        print("passes", ranks)
    except ResourceError as error:
        print("refused", error)
"""


@pytest.fixture
def said(tmp_path):
    begun = time.monotonic()
    loopback = {"RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
    with make_temporary_folder() as short:  # Ray's sockets need short paths
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", SCRIPT, tmp_path, short / RAY_FOLDER],
            env={**os.environ, **loopback},
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 0, done.stderr
    return done.stdout, time.monotonic() - begun


def test_too_few_gpus_are_refused_and_enough_pass(said):
    shown, seconds = said
    assert "passes 2" in shown
    assert "refused 8 GPUs were asked for" in shown
    assert "2 are there in the Ray cluster" in shown
    assert seconds < 100
