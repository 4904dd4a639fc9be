"""The docs site builds without a warning, and its generated pages are those of the code."""

import os
import subprocess
import sys
from pathlib import Path

from masa_openrlhf.config.settings_page import render_settings_page

ROOT = Path(__file__).parents[1]


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
