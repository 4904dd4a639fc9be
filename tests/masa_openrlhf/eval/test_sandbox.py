"""Hostile programs, one by one, and the walls themselves."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import masa_openrlhf
import psutil
import pytest
from masa_openrlhf.eval.graders.program import run_tests
from masa_openrlhf.eval.sandbox.limits import Limits
from masa_openrlhf.eval.sandbox.probe import make_call, probe_limits
from masa_openrlhf.eval.sandbox.process import EndedError, Sandbox, SandboxError
from masa_openrlhf.eval.sandbox.tree import measure_memory_mb, parse_memory_mb

HOSTILE = json.loads(Path(__file__).with_name("hostile_programs.json").read_text("utf-8"))
SMALL = Limits(seconds=30, memory_mb=512, processes=16, file_mb=2, output_mb=2)
SQUARE = "def f(x): return x * x"
TESTS = "assert f(2) == 4\nassert f(3) == 9"
SOURCE = str(Path(masa_openrlhf.__file__).parents[1])


def sandboxed():
    """Processes of sandboxes that are alive, by this environment's Python."""
    found = []
    for process in psutil.process_iter():
        try:
            command = " ".join(process.cmdline())
            ours = sys.executable in command and "masa_openrlhf.eval.sandbox" in command
            if ours and process.status() != "zombie":
                found.append(command[-200:])
        except psutil.Error:
            continue
    return found


def nothing_left(seconds=5.0):
    deadline = time.monotonic() + seconds
    while (left := sandboxed()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return left


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Every hostile program, a few at a time; and how long each took."""
    folder = tmp_path_factory.mktemp("outside")
    (folder / "secret").write_text("x")
    server = socket.create_server(("127.0.0.1", 0))
    places = {
        "{outside}": str(folder / "written"),
        "{secret}": str(folder / "secret"),
        "{port}": str(server.getsockname()[1]),
    }

    def play(program):
        tests = program["tests"]
        for name, value in places.items():
            tests = tests.replace(name, value)
        limits = SMALL._replace(seconds=program.get("seconds", SMALL.seconds))
        start = time.monotonic()
        grade = run_tests(program["code"], tests, ["f"], limits)
        return grade, time.monotonic() - start

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(4) as pool:
        patch.setenv("MASA_SECRET_OF_THE_TEST", "MASA_SECRET_OF_THE_TEST")
        grades = dict(zip((p["name"] for p in HOSTILE), pool.map(play, HOSTILE), strict=True))
    connected = socket_was_connected(server)
    server.close()
    return grades, folder, connected, nothing_left()


def socket_was_connected(server):
    server.settimeout(0)
    try:
        server.accept()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("program", HOSTILE, ids=[program["name"] for program in HOSTILE])
def test_no_hostile_program_gets_through_or_hangs(program, played):
    grade, took = played[0][program["name"]]
    assert grade.status == "incorrect", grade
    assert re.search(program["detail"], grade.detail), grade.detail
    assert took < program.get("seconds", SMALL.seconds) + 10


def test_nothing_of_them_is_left(played):
    _, folder, connected, left = played
    assert left == []
    assert sorted(path.name for path in folder.iterdir()) == ["secret"]
    assert not connected
    for path in ("/tmp/masa-hostile", "/usr/masa-hostile", "/masa-hostile", "/dev/masa-hostile"):
        assert not os.path.exists(path)


def test_the_corpus_would_get_through_without_the_tests_elsewhere():
    """The tests have teeth: in one process, as published harnesses do it, equality wins."""
    program = next(p for p in HOSTILE if p["name"] == "equal to everything")
    exec(program["code"] + program["tests"], {})


@pytest.mark.parametrize(
    ("code", "tests"),
    [
        (SQUARE, TESTS),
        (
            "def f(n): return {n: [(1, 2.5), {3}, None, b'x', True]}",
            "assert f('k') == {'k': [(1, 2.5), {3}, None, b'x', True]}",
        ),
        (
            "from collections import Counter\ndef f(x): return Counter(x)",
            "assert f('aab') == {'a': 2, 'b': 1}",
        ),
        ("def f(x): return 10 ** x", "assert f(400) == 10 ** 400\nassert f(20) == 10 ** 20"),
        (
            "from fractions import Fraction\ndef f(x): return Fraction(x, 3)",
            "from fractions import Fraction\nassert f(2) == Fraction(2, 3)",
        ),
        (
            "def f(x): return float(x)",
            "import math\nassert math.isnan(f('nan'))\nassert f('inf') > 1e308",
        ),
        (
            "def f(x): raise KeyError(x)",
            "try:\n    f(1)\n    raise AssertionError\nexcept KeyError:\n    pass",
        ),
        (
            "calls = []\ndef f(x):\n    calls.append(x)\n    return len(calls)",
            "assert f(0) == 1\nassert f(0) == 2",
        ),
        ("def f(a, *b, c=0): return a + sum(b) + c", "assert f(1, 2, 3, c=4) == 10"),
        ("import numpy as np\ndef f(x): return np.int64(x) + 1", "assert f(1) == 2"),
        (
            "import tempfile\ndef f(x):\n"
            "    with tempfile.TemporaryFile() as file: return file.write(x)",
            "assert f(b'abc') == 3",
        ),
        (
            "import os\ndef f(x):\n    r, w = os.pipe()\n    if os.fork() == 0:\n"
            "        os.write(w, b'5')\n        os._exit(0)\n    return os.read(r, 1)",
            "assert f(0) == b'5'",
        ),
        (
            "import threading\ndef f(x):\n    got = []\n"
            "    t = threading.Thread(target=got.append, args=(x,))\n    t.start()\n"
            "    t.join()\n    return got",
            "assert f(1) == [1]",
        ),
        (
            "import asyncio\nasync def g(x): return x\ndef f(x): return asyncio.run(g(x))",
            "assert f(1) == 1",
        ),
        (
            "import asyncio\nasync def g(x): return await asyncio.to_thread(lambda: x)\n"
            "def f(x): return [asyncio.run(g(x)) for _ in range(3)]",
            "assert f(1) == [1, 1, 1]",
        ),
        (
            "import asyncio, sys\nasync def g(x):\n    p = await asyncio.create_subprocess_exec("
            "sys.executable, '-I', '-S', '-c', 'print(input())', stdin=-1, stdout=-1)\n"
            "    return (await p.communicate(x))[0]\ndef f(x): return asyncio.run(g(x))",
            "assert f(b'a') == b'a\\n'",
        ),
        (
            "import mmap\ndef f(x):\n    open('x', 'wb').write(x)\n"
            "    with open('x', 'r+b') as file:\n        m = mmap.mmap(file.fileno(), 0)\n"
            "        m[0] = 66\n        m.close()\n"
            "    return open('x', 'rb').read()",
            "assert f(b'abc') == b'Bbc'",
        ),
        (
            "import sqlite3\ndef f(x):\n    d = sqlite3.connect(':memory:')\n"
            "    return d.execute('select ?', (x,)).fetchall()",
            "assert f(1) == [(1,)]",
        ),
        (
            "import subprocess, shutil, os\ndef f(x):\n    open('a', 'w').write(x)\n"
            "    shutil.copy('a', 'b')\n    return subprocess.check_output(['cat', 'b']).decode()",
            "assert f('x') == 'x'",
        ),
        (
            "from concurrent.futures import ThreadPoolExecutor\ndef f(x):\n"
            "    with ThreadPoolExecutor(4) as pool: return list(pool.map(abs, range(-x, 0)))",
            "assert f(3) == [3, 2, 1]",
        ),
        (
            "import numpy as np\ndef f(x): return float(np.linalg.det(np.eye(x) * 2))",
            "assert abs(f(8) - 256) < 1e-9",
        ),
        ("def f(x): raise IndexError(x)", "try:\n    f(1)\nexcept IndexError:\n    pass"),
        ("x = '\ud7ff\u2028'\ndef f(_): return x", "assert f(0) == '\ud7ff\u2028'"),
        ("def f(x):\n    print('noise')\n    return x", "assert f(3) == 3"),
    ],
)
def test_honest_programs_are_right(code, tests):
    assert run_tests(code, tests, ["f"], SMALL).status == "correct"


def test_a_name_may_have_any_letters():
    grade = run_tests("def größe(x): return x + 1", "assert größe(1) == 2", ["größe"], SMALL)
    assert grade.status == "correct"
    grade = run_tests("import os\ndef größe(x): os._exit(0)", "größe(1)", ["größe"], SMALL)
    assert grade.detail == "it ended in größe: exit"


def test_types_are_kept():
    for code, tests in (
        ("def f(x): return (1, 2)", "assert f(0) == [1, 2]"),
        ("def f(x): return '1'", "assert f(0) == 1"),
        ("def f(x): return iter([1])", "assert f(0) == [1]"),
    ):
        assert run_tests(code, tests, ["f"], SMALL).status == "incorrect"


def test_every_limit_is_seen_to_hold_here():
    assert probe_limits() == ()


NETWORK = """\
import os, socket, sys
sys.path.append({source!r})
from masa_openrlhf.eval.sandbox import namespaces
from masa_openrlhf.eval.sandbox.launch import list_folders
namespaces.enter_namespaces()
if os.fork() == 0:
    namespaces.build_walls(list_folders(), {package!r}, 4)
    try:
        socket.create_connection(("127.0.0.1", {port}), timeout=2)
        print("it connected")
    except OSError as error:
        print(error.strerror)
    os._exit(0)
os.wait()
"""


def test_the_network_is_another_one_even_without_the_filter_of_calls():
    with socket.create_server(("127.0.0.1", 0)) as server:
        package = str(Path(masa_openrlhf.__file__).parent)
        port = server.getsockname()[1]
        ended = run_python(NETWORK.format(source=SOURCE, package=package, port=port))
    assert ended.stdout in ("Network is unreachable\n", "Connection refused\n"), ended.stderr


def test_it_ends_with_the_block_whatever_it_started():
    with Sandbox("candidate", SMALL) as sandbox:
        sandbox.send({"load": "import os, time\nif os.fork() == 0: time.sleep(1000)\n"})
        assert sandbox.receive() == {"value": None}
        assert len(sandboxed()) >= 3
    assert nothing_left(1.0) == []


def test_it_ends_when_the_evaluation_is_killed():
    code = (
        "import time\n"
        "from masa_openrlhf.eval.sandbox.process import Sandbox\n"
        "from masa_openrlhf.eval.sandbox.limits import Limits\n"
        "s = Sandbox('candidate', Limits(seconds=100))\n"
        "s.send({'load': 'import os, time\\nfor _ in range(3): os.fork()\\ntime.sleep(1000)'})\n"
        "print('up', flush=True)\n"
        "time.sleep(1000)\n"
    )
    evaluation = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert evaluation.stdout.readline() == b"up\n"
    deadline = time.monotonic() + 20
    while len(sandboxed()) < 5 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(sandboxed()) >= 5
    evaluation.kill()
    evaluation.wait()
    evaluation.stdout.close()
    assert nothing_left() == []


def test_no_folder_is_left_and_the_program_sees_an_empty_one(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with Sandbox("candidate", SMALL) as sandbox:
        program = "import os\ndef f():\n    seen = os.listdir()\n"
        program += "    open('mine', 'w').write('x')\n    return seen, os.getcwd()\n"
        sandbox.send({"load": program})
        sandbox.receive()
        sandbox.send(make_call("f", []))
        assert sandbox.receive() == {"value": ["t", [["l", []], "/masa-own"]]}
    assert list(tmp_path.iterdir()) == []


def test_memory_is_what_is_resident_swapped_out_or_of_tables_of_pages():
    status = b"Name:\tVmRSS: 9 kB\nVmPeak:\t 99999 kB\nVmRSS:\t    3072 kB\nVmPTE:\t 1024 kB\n"
    assert parse_memory_mb(status + b"VmSwap:\t    2048 kB\n") == 6
    assert parse_memory_mb(b"Name:\tpython\nState:\tZ (zombie)\n") == 0
    assert 5 < measure_memory_mb(os.getpid()) < 100_000
    assert measure_memory_mb(2**22 - 1) == 0


MANY_PARTS = """\
import os
def f(x):
    for fd in range(3, 64):
        try:
            os.write(fd, b'{"value": [' + b'[],' * 2_500_000 + b'0]}\\n')
        except OSError:
            pass
    return 0
"""


def test_what_a_program_says_is_not_read_by_the_evaluation():
    """Eight megabytes of small parts would take it seconds and hundreds of megabytes."""
    begun = time.process_time()
    limits = SMALL._replace(output_mb=8, memory_mb=1024, seconds=60)
    grade = run_tests(MANY_PARTS, "assert f(1) == 0", ["f"], limits)
    assert (grade.status, grade.detail[:12]) == ("incorrect", "ProgramError")
    assert time.process_time() - begun < 0.4


def test_time_is_that_of_the_clock_for_all_of_it():
    start = time.monotonic()
    with Sandbox("candidate", SMALL._replace(seconds=1.0)) as sandbox:
        sandbox.send({"load": "import time\ntime.sleep(100)"})
        with pytest.raises(EndedError, match="seconds"):
            sandbox.receive()
    assert time.monotonic() - start < 5


# -- where the kernel does not allow it ------------------------------------------------------------

REFUSING = """\
import sys
sys.path.append({source!r})
from masa_openrlhf.eval.sandbox import seccomp
seccomp.install_seccomp()  # as a container's own filter would, it refuses new namespaces
from masa_openrlhf.eval.sandbox.process import Sandbox, SandboxError, EndedError
from masa_openrlhf.eval.sandbox.limits import Limits
for allow_unsandboxed in (False, True):
    try:
        allowed = {{"allow_unsandboxed": allow_unsandboxed}}
        with Sandbox("candidate", Limits(seconds=5), **allowed) as sandbox:
            program = "import os\\nos.mkdir('in')\\nopen('in/here', 'w').write('x')\\n"
            program += "os.chmod('in', 0)\\nfor _ in range(2): os.fork()"
            sandbox.send({{"load": program}})
            print(sandbox.receive(), sandbox.close()["lacking"])
    except SandboxError as error:
        print("refused:", error)
"""


def run_python(code, *prefix, python=sys.executable):
    return subprocess.run(
        [*prefix, python, "-c", code], capture_output=True, text=True, timeout=100, check=False
    )


def test_without_namespaces_it_is_refused_unless_one_knows(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    ended = run_python(REFUSING.format(source=SOURCE))
    first, second = ended.stdout.splitlines()
    assert first.startswith("refused: this machine does not allow what code of a model is held by")
    assert "namespaces (unshare: Operation not permitted)" in first
    assert second == "{'value': None} ['namespaces (unshare: Operation not permitted)']"
    assert nothing_left() == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.skipif(not os.path.exists("/usr/bin/python3"), reason="no Python that others may run")
def test_it_holds_for_an_ordinary_user_too(tmp_path):
    """By the system's Python, as that of the environment may lie where others cannot look."""
    version = run_python(
        "import sys; print(sys.version_info >= (3, 10))", python="/usr/bin/python3"
    )
    if version.stdout.strip() != "True":
        pytest.skip("the system's Python is too old")
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(Path(SOURCE) / "masa_openrlhf", copy / "masa_openrlhf")
    for folder in (copy, *copy.parents):
        if folder.owner() == "root" and str(folder).startswith("/tmp/"):
            folder.chmod(0o755)
    code = (
        f"import sys; sys.path.append({str(copy)!r})\n"
        "import os; os.setgroups([]); os.setgid(4321); os.setuid(4321)\n"
        "from masa_openrlhf.eval.sandbox.probe import probe_limits\n"
        "print(os.getuid(), probe_limits())"
    )
    ended = run_python(code, python="/usr/bin/python3")
    assert ended.stdout == "4321 ()\n", ended.stdout + ended.stderr


def test_a_sandbox_that_cannot_be_built_is_an_error_and_no_wrong_answer(monkeypatch):
    from masa_openrlhf.eval.sandbox import launch

    monkeypatch.setattr(launch, "list_folders", lambda: ["/no-such-folder"])
    launch.describe_program.cache_clear()
    try:
        grade = run_tests(SQUARE, TESTS, ["f"], SMALL, program=SQUARE)
        with (
            pytest.raises(SandboxError, match="could not be built: .*no-such-folder"),
            Sandbox("candidate", SMALL) as sandbox,
        ):
            sandbox.receive()
    finally:
        launch.describe_program.cache_clear()
    assert grade.status == "error"
    assert grade.failed
