from __future__ import annotations

import doctest
import importlib

import masa_rewards
import pytest


@pytest.mark.parametrize("name", ["masa_rewards", "masa_rewards.verification"])
def test_the_examples_in_the_docstrings_run(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.attempted > 0
    assert result.failed == 0


def test_the_public_names_are_these():
    assert masa_rewards.__all__ == [
        "ENGLISH_STOP_WORDS",
        "AnswerVerifier",
        "MetaPrediction",
        "MetaPrompt",
        "MetaReward",
        "Missing",
        "NotionRules",
        "Rollout",
        "RolloutGroup",
        "Verdict",
        "common_words",
        "difficulty_reward",
        "length_reward",
        "meta_reward",
        "meta_rewards",
        "notion_reward",
    ]
    assert all(hasattr(masa_rewards, name) for name in masa_rewards.__all__)
