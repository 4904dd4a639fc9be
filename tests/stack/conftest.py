import warnings

import pytest

pytest.importorskip("vllm", reason="the stack is not installed: masa-openrlhf[cpu]")


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/stack" in item.nodeid:
            item.add_marker(pytest.mark.stack)


@pytest.fixture(scope="module")
def importable_here():
    """Modules of ours that need the stack can be imported in this process."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setenv("MASA_OPENRLHF_CPU", "1")
        patch.setenv("DS_ACCELERATOR", "cpu")
        yield


@pytest.fixture(scope="session")
def whole_run(tmp_path_factory):
    """A run of seven steps on the real stack, from beginning to end, on two ranks.

    While it trains it is looked at from outside, by somebody who has no token.
    """
    from masa_openrlhf.run.files import read_lines

    from tests.stack.command_runs import (
        RECORDING,
        SMALL_RUN,
        TWO_RANKS,
        WholeRun,
        find_only_folder,
        list_steps,
        start_training,
    )
    from tests.stack.outside_view import inspect_run

    where = tmp_path_factory.mktemp("whole")
    runs = where / "runs"
    variables = {"MASA_TEST_REQUESTS": str(where / "requests.jsonl"), "PYTHONPATH": RECORDING}
    with start_training(
        "--runs", str(runs), *SMALL_RUN, *TWO_RANKS, log=where / "out.txt", **variables
    ) as run:
        run.wait_until(lambda: runs.exists() and any(runs.iterdir()))
        folder = find_only_folder(runs)
        run.wait_until(lambda: bool(list_steps(folder)))
        seen = inspect_run(run, where)
        status = run.wait()
        left = run.left_behind()
    assert status == 0, run.output
    return WholeRun(folder, run.output, left, seen, list(read_lines(where / "requests.jsonl")))
