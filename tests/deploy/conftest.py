import pytest

pytest.importorskip("vllm", reason="the stack is not installed: masa-openrlhf[cpu]")


def pytest_collection_modifyitems(items):
    for item in items:
        if "tests/deploy" in item.nodeid:
            item.add_marker(pytest.mark.stack)
