"""A run on one machine cannot be reached from another, and takes orders from its user alone."""

import os
import re
import subprocess
import sys

import pytest
from masa_openrlhf.nodes.ray_cluster import OpenClusterError, is_open_cluster, refuse_open_cluster
from masa_openrlhf.run.temporary import RAY_FOLDER, make_temporary_folder

LOOPBACK = {"127.0.0.1", "::1"}


@pytest.fixture(scope="module")
def seen(whole_run):
    return whole_run.seen


def test_nothing_of_a_run_listens_beyond_the_machine(seen):
    titles = " ".join(title for title, _, _ in seen.listening)
    for part in ("gcs_server", "raylet", "DashboardAgent", "PolicyActor", "VLLM", "PPOTrainer"):
        assert part in titles, "it was looked at too early"
    assert {(t, a) for t, a, _ in seen.listening if a not in LOOPBACK} == set()


def test_a_job_without_the_token_is_refused(seen):
    """The agent's HTTP port answers; others of its ports speak something else."""
    assert 401 in seen.job
    assert all(status >= 400 for status in seen.job)


def test_rays_tables_cannot_be_read_without_the_token(seen):
    assert seen.tables is False


def test_no_worker_joins_without_the_token(seen):
    status, said = seen.joined
    assert status != 0, said
    assert re.search("authenticat|token", said, re.IGNORECASE), said


def test_the_temporary_folder_is_its_users_alone(seen):
    assert seen.modes == {seen.temporary.name: 0o700, "ray-token": 0o600}
    assert not seen.temporary.exists()  # it went with the run


OPEN = """
import ray, sys
ray.init(address="local", num_cpus=1, object_store_memory=100 << 20, include_dashboard=False,
         _temp_dir=sys.argv[1], log_to_driver=False, configure_logging=False)
print(ray.get_runtime_context().gcs_address, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def open_cluster():
    """A cluster of this machine alone, without a token."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RAY_AUTH_")}
    environment |= {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0"}
    with make_temporary_folder() as short:  # Ray's sockets need short paths
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", OPEN, str(short / RAY_FOLDER)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        yield process.stdout.readline().strip()
        process.communicate(timeout=60)


def test_a_cluster_that_answers_anybody_is_not_trained_on(open_cluster):
    assert is_open_cluster(open_cluster)
    with pytest.raises(OpenClusterError, match="RAY_AUTH_MODE=token"):
        refuse_open_cluster(open_cluster)


def test_a_cluster_that_cannot_be_asked_is_not_taken_for_a_safe_one():
    with pytest.raises(OpenClusterError, match="cannot be told"):
        is_open_cluster("127.0.0.1:1")


STORE = """
import os, psutil, torch.distributed as dist
from datetime import timedelta
from importlib import import_module
from masa_openrlhf.run import loopback
loopback.bind_stores()
store = dist.TCPStore("localhost", 0, 1, True, multi_tenant=True)
store.set("a", "b")
# As vLLM does: the server that is there is used once more.
again = dist.TCPStore("127.0.0.1", store.port, 1, True, multi_tenant=True)
assert again.get("a") == b"b"
os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT="0", RANK="0", WORLD_SIZE="1")
dist.init_process_group("gloo", timeout=timedelta(seconds=30))
listening = {c.laddr.ip for c in psutil.Process().net_connections("inet") if not c.raddr}
print(sorted(listening))
"""


@pytest.mark.parametrize(("active", "addresses"), [("1", "['127.0.0.1']"), ("0", "'::'")])
def test_torchs_stores_listen_on_loopback_in_such_runs(active, addresses):
    environment = {**os.environ, "MASA_OPENRLHF_LOOPBACK": active, "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", STORE],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert addresses in done.stdout


GPU_RUN = """
import os, sys
from pathlib import Path
from masa_openrlhf.run.loopback import prepare_run_variables
os.environ.update(prepare_run_variables(Path(sys.argv[1])))
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.run.launch import _start_ray
_start_ray(TrainConfig(cluster={"device": "gpu"}), on_cpu=False)
import ray

@ray.remote(num_cpus=1)
def listen():
    import psutil, torch.distributed as dist
    store = dist.TCPStore("127.0.0.1", 0, 1, True, wait_for_workers=False, multi_tenant=True)
    return [c.laddr.ip for c in psutil.Process().net_connections("inet") if not c.raddr]

found = set(ray.get(listen.remote()))
import psutil
for process in psutil.Process().children(recursive=True):
    found |= {c.laddr.ip for c in process.net_connections("inet") if not c.raddr}
print(sorted(address.removeprefix("::ffff:") for address in found))
"""


def test_a_gpu_runs_ray_and_whatever_its_workers_start_keep_to_loopback():
    """vLLM's own workers too, which never import our modules: Ray prepares each process."""
    with make_temporary_folder() as short:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", GPU_RUN, str(short)],
            env={**os.environ, "TMPDIR": str(short), "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0"},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.splitlines()[-1].strip("[]").replace("'", "").split(", ")) <= LOOPBACK
    assert "127.0.0.1" in done.stdout
