"""What somebody without the token sees of a run, and what he gets by asking."""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import psutil
from masa_openrlhf.nodes.ray_cluster import is_open_cluster

from tests.stack.command_runs import RUN_MARK, CommandRun

JOB_REQUEST = b'{"entrypoint": "true"}'


@dataclass(frozen=True)
class OutsideView:
    """A look at a run while it trains.

    Attributes:
        listening: (title of the process, address, port), of all its processes.
        modes: of its temporary folder and the token in it.
        temporary: that folder.
        job: status of a job submission to each port of Ray's agent that speaks HTTP.
        tables: whether Ray's tables can be read.
        joined: exit status and output of a worker node that wants to join.
    """

    listening: list[tuple[str, str, int]]
    modes: dict[str, int]
    temporary: Path
    job: list[int]
    tables: bool
    joined: tuple[int, str]


def inspect_run(run: CommandRun, where: Path) -> OutsideView:
    """Look at a run as its own user does, and ask as a stranger does.

    Its engine is stopped meanwhile: the run must not be over before all have asked.
    """
    engines: list[psutil.Process] = []
    # Ray rewrites titles, and some reads find one empty.
    run.wait_until(lambda: bool(engines.extend(list_engines(run)) or engines))
    for engine in engines:
        engine.suspend()
    try:
        return probe_run(run, where)
    finally:
        for engine in engines:
            engine.resume()


def list_engines(run: CommandRun) -> list[psutil.Process]:
    found = []
    for process in psutil.Process(run.process.pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "VLLM::EngineCore" in " ".join(process.cmdline()):
                found.append(process)
    return found


def probe_run(run: CommandRun, where: Path) -> OutsideView:
    # Not run.processes(): Ray writes titles over the variables by which those are found.
    processes = psutil.Process(run.process.pid).children(recursive=True)
    listening = list_listening_sockets(processes)
    temporary = Path(run.driver().environ()["TMPDIR"])
    gcs = find_gcs_address(processes)
    agent = [port for title, _, port in listening if "DashboardAgent" in title]
    submitted = [submit_job(port) for port in agent]
    return OutsideView(
        listening,
        {
            path.name: stat.S_IMODE(path.stat().st_mode)
            for path in (temporary, *list_token_files(temporary))
        },
        temporary,
        [status for status in submitted if status],
        is_open_cluster(gcs),
        join_cluster(gcs, where, run.mark),
    )


def list_token_files(temporary: Path) -> list[Path]:
    return [temporary / "ray-token"]


def list_listening_sockets(processes: list[psutil.Process]) -> list[tuple[str, str, int]]:
    found = []
    for process in processes:
        with contextlib.suppress(psutil.Error):
            title = " ".join(process.cmdline())[:200]
            found += [
                (title, c.laddr.ip.removeprefix("::ffff:"), c.laddr.port)
                for c in process.net_connections("inet")
                if not c.raddr
            ]
    return found


def find_gcs_address(processes: list[psutil.Process]) -> str:
    """The address of Ray's tables, as its raylet was told."""
    for process in processes:
        with contextlib.suppress(psutil.Error):
            for argument in process.cmdline():
                if argument.startswith("--gcs-address="):
                    return argument.partition("=")[2]
    raise AssertionError("there is no raylet")


def submit_job(port: int) -> int:
    """Ask Ray's agent on this port, over loopback, to run a command; 0: it speaks no HTTP."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/job_agent/jobs/",
        data=JOB_REQUEST,
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, ValueError):
        return 0
    except Exception:  # http.client's: the other side speaks something else
        return 0


JOIN_SCRIPT = """
from ray._private import services
services.resolve_ip_for_localhost = lambda host: host  # it would make loopback another address
from ray.scripts.scripts import main
main()
"""


def join_cluster(address: str, where: Path, mark: str) -> tuple[int, str]:
    """Start a worker node that has no token; it ends with the run, should it be let in."""
    stranger = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RAY_AUTH_", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"))
    }
    command = [sys.executable, "-W", "ignore", "-c", JOIN_SCRIPT, "start", f"--address={address}"]
    done = subprocess.run(
        [*command, "--node-ip-address=127.0.0.1", "--num-cpus=1", f"--temp-dir={where}/s"],
        env={**stranger, RUN_MARK: mark, "RAY_NUM_REDIS_GET_RETRIES": "2"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr
