"""The settings that a verdict of `masa_rewards score` advises are settings of masa-openrlhf."""

import json
import sys

import pytest
from masa_openrlhf.config import layers
from masa_openrlhf.config.rules import merge_settings
from masa_rewards.score import score_lines

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def make_lines(verdicts, predicted, count=15):
    rollouts = [{"text": "x" * 10, "length": 99, "correct": right} for right in verdicts]
    predictions = [json.dumps({"pass_rate": rate}) for rate in predicted]
    line = {"problem": "p", "rollouts": rollouts, "predictions": predictions}
    return [json.dumps(line)] * count


MIXED, WRONG = [True, False] * 8, [False] * 16


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        (make_lines(MIXED, []), {"mode": "masa"}),
        (make_lines(WRONG, []), {"mode": "masa-efficient", "meta.rollouts": 8}),
        (
            make_lines(WRONG, [0]) + make_lines(MIXED, [4]),
            {"mode": "masa-efficient", "gate.rule": "static"},
        ),
        (
            make_lines(WRONG, [1, 0, 0]) + make_lines(MIXED, [4] * 3),
            {"mode": "masa-efficient", "gate.rule": "audited"},
        ),
        (
            make_lines(WRONG, [3] * 4) + make_lines(MIXED, [4] * 4),
            {"mode": "masa-efficient", "schedule.rule": "aligned"},
        ),
        (make_lines(WRONG[:2], [0] * 8) + make_lines(MIXED, [4] * 8), {"meta.rollouts": 4}),
    ],
)
def test_they_are_read_as_toml_and_taken(lines, wanted):
    verdict = score_lines(lines).gate.verdict
    settings = tomllib.loads("\n".join(verdict.settings))
    config = layers.build_config(merge_settings(layers.read_preset("tiny"), settings))
    for name, value in wanted.items():
        found = config
        for part in name.split("."):
            found = getattr(found, part)
        assert found == value
