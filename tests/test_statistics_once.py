"""Each statistic has one body in the workspace: ``masa_rewards.statistics``."""

import re
from pathlib import Path

import pytest

PACKAGES = Path(__file__).parents[1] / "packages"
HOME = PACKAGES / "masa-rewards/src/masa_rewards/statistics"
SOURCES = [path for path in sorted(PACKAGES.rglob("src/**/*.py")) if HOME not in path.parents]


@pytest.mark.parametrize(
    ("what", "sign"),
    [
        ("the normal quantile", r"\b1\.9(6|5996)"),
        ("a quantile of Student's t", r"\b12\.70|Cornish"),
        ("an interval type", r"^class Interval\b"),
        ("a correlation", r"\bstatistics\.correlation\b|import .*\bcorrelation\b|np\.corrcoef"),
        ("Wilson's interval", r"^def \w*wilson"),
        ("an exact bound of a share", r"1 - .*\*\* \(1 / |\bALPHA\b"),
    ],
)
def test_nobody_else_has(what, sign):
    assert len(SOURCES) > 200
    found = [
        str(path.relative_to(PACKAGES))
        for path in SOURCES
        if re.search(sign, path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert not found, (
        f"{what} is to be taken from masa_rewards.statistics, not made anew in {found}"
    )
