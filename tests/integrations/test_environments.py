"""What the environments of the stacks are made of."""

import re

import pytest

from tests.integrations import stack_environments
from tests.integrations.stack_environments import (
    OWN,
    REQUIREMENTS,
    ROOT,
    make_environment,
    needs_uv,
)

PAGES = ROOT / "docs" / "guides" / "stacks"
STACKS = sorted(path.stem for path in REQUIREMENTS.glob("*.txt"))


def read_pins(stack):
    lines = (REQUIREMENTS / f"{stack}.txt").read_text().splitlines()
    return dict(line.split(" ;")[0].strip().split("==") for line in lines)


def test_there_are_some():
    assert {"trl", "ms-swift"} <= set(STACKS)


@pytest.mark.parametrize("stack", STACKS)
@pytest.mark.parametrize("package", OWN)
def test_everything_that_our_packages_require_is_pinned(stack, package):
    project = (ROOT / "packages" / package / "pyproject.toml").read_text()
    required = re.search(r"^dependencies = \[(.*?)\]$", project, re.MULTILINE | re.DOTALL)[1]
    names = set(re.findall(r'"([A-Za-z0-9_-]+)', required)) - set(OWN)
    assert "pydantic" in names
    assert names <= read_pins(stack).keys(), f"pin {stack}.txt anew: see stack_environments.py"


@pytest.mark.parametrize(
    ("page", "stack", "names"),
    [
        ("trl", "trl", ["TRL trl", "transformers transformers", "torch torch"]),
        ("trl_gate", "trl", ["TRL trl", "transformers transformers", "torch torch"]),
        (
            "ms-swift",
            "ms-swift",
            ["ms-swift ms-swift", "trl trl", "transformers transformers", "torch torch"],
        ),
    ],
)
def test_the_page_names_the_versions_that_are_tried(page, stack, names):
    page = " ".join((PAGES / f"{page}.md").read_text().split())
    tried = page[page.index("Tried with") :][:200]
    for spelled, name in map(str.split, names):
        assert f"{spelled} {read_pins(stack)[name]}" in tried


@pytest.fixture
def make(tmp_path, monkeypatch):
    """Makes an environment of requirements of one's own, in a cache of one's own."""
    monkeypatch.setattr(stack_environments, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(stack_environments, "REQUIREMENTS", tmp_path)

    def make(requirements):
        (tmp_path / "own.txt").write_text(requirements)
        return make_environment.__wrapped__("own")

    return make


@needs_uv
def test_one_is_made_once_and_whole(make):
    made = make("# nothing")
    # In the environment, with this tree's masa-rewards to read and none of our own packages.
    code = "import sys, importlib.util as u; print(sys.prefix, u.find_spec('masa_rewards').origin)"
    prefix, origin = made.run("python", "-c", code).split()
    assert prefix == str(made.path)
    assert origin.startswith(str(ROOT))
    code = "import importlib.util as u; print(u.find_spec('pytest'))"
    assert made.run("python", "-c", code).strip() == "None"
    (made.path / "left").touch()
    assert make("# nothing") == made
    assert (made.path / "left").exists()
    # One that was interrupted is made anew.
    (made.path / "complete").unlink()
    assert not (make("# nothing").path / "left").exists()
    assert make("# another").path != made.path


@needs_uv
def test_what_uv_says_is_shown(make):
    with pytest.raises(AssertionError, match=r"(?s)uv pip install .*not a requirement"):
        make("not a requirement")


@needs_uv
def test_what_a_program_says_is_shown(make):
    made = make("# nothing")
    with pytest.raises(AssertionError, match="so bad"):
        made.run("python", "-c", "raise SystemExit('so bad')")
    assert "so bad" in made.run("python", "-c", "raise SystemExit('so bad')", fails=True)
    with pytest.raises(pytest.fail.Exception, match=r"(?s)longer than 1 s.*begun"):
        made.run(
            "python", "-c", "import time; print('begun', flush=True); time.sleep(60)", seconds=1
        )
