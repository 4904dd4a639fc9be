"""The docs site builds without a warning, and its generated pages are those of the code."""

import os
import re
import subprocess
import sys
from pathlib import Path

from masa_openrlhf.config.settings_page import render_settings_page

ROOT = Path(__file__).parents[1]
MOST_WORDS = 1600


def test_the_site_builds_strictly(tmp_path: Path) -> None:
    """Links and anchors of every page, and the docstrings that the API pages show."""
    build = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert build.returncode == 0, build.stderr
    api = (tmp_path / "reference" / "api" / "rewards.html").read_text(encoding="utf-8")
    assert 'id="masa_rewards.meta_reward"' in api


def test_the_page_of_settings_is_that_of_the_code() -> None:
    page = (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    assert page == render_settings_page(), "write it anew: make docs"


def count_prose(page: Path) -> int:
    """Return the words of a page outside tables and blocks of code."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    lines = (line for line in text.splitlines() if not line.startswith("|"))
    return sum(len(line.split()) for line in lines)


def test_a_page_is_read_in_one_go() -> None:
    docs = ROOT / "docs"
    long = {
        str(page.relative_to(docs)): count
        for page in docs.rglob("*.md")
        if page.parts[len(docs.parts)] != "log" and (count := count_prose(page)) > MOST_WORDS
    }
    assert long == {}
