"""What package indexes, citation tools and pre-commit read of the project."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[1]
PACKAGES = sorted((ROOT / "packages").glob("*/pyproject.toml"))


@pytest.mark.parametrize("file", PACKAGES, ids=lambda file: file.parent.name)
def test_a_package_says_who_what_and_for_which_python(file):
    project = tomllib.loads(file.read_text())["project"]
    assert project["authors"]
    assert project["urls"]["Paper"] == "https://arxiv.org/abs/2510.03259"
    assert project["license-files"] == ["LICENSE"]
    stated = project["classifiers"]
    for version in ("3.10", "3.11", "3.12"):
        assert f"Programming Language :: Python :: {version}" in stated
    assert any(line.startswith("Operating System ::") for line in stated)


def test_the_citation_is_of_this_version_and_names_the_paper():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    versions = {tomllib.loads(file.read_text())["project"]["version"] for file in PACKAGES}
    assert {citation["version"]} == versions
    (paper,) = citation["references"]
    assert "2510.03259" in paper["url"]
    assert [author["family-names"] for author in paper["authors"]] == ["Kim", "Jang", "Yang"]


def test_the_hooks_of_pre_commit_are_the_checks_of_make():
    (repository,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    makefile = (ROOT / "Makefile").read_text()
    for hook in repository["hooks"]:
        program, *rest = hook["entry"].split()
        assert Path(program).parent == Path(".venv/bin")
        assert f"$(RUN) {Path(program).name}" in makefile
        assert all(word in makefile for word in rest)


def test_a_hook_mends_what_it_can(tmp_path):
    bad = tmp_path / "bad.py"
    bad.write_text("x = [ 1,2 ]\n")
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    (entry,) = (hook["entry"] for hook in hooks if hook["id"] == "ruff-format")
    program = Path(sys.executable).with_name("ruff")
    command = [str(program), *entry.split()[1:], str(bad)]
    assert subprocess.run(command, cwd=ROOT, capture_output=True).returncode == 0
    assert bad.read_text() == "x = [1, 2]\n"
