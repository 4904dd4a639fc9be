from __future__ import annotations

import masa_rewards


def test_the_public_names_are_these():
    assert masa_rewards.__all__ == [
        "ENGLISH_STOP_WORDS",
        "SOLUTION_TEMPLATE",
        "AnswerVerifier",
        "MetaPrediction",
        "MetaPrompt",
        "MetaPromptForm",
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
