"""Rewards for a language model that predicts its own rollouts (MASA, arXiv 2510.03259).

>>> from masa_rewards import MetaPrompt, Rollout, RolloutGroup, meta_reward
>>> prompt = MetaPrompt()
>>> asked = prompt.render("Find the sum of the roots of x^2 - 5x + 6.")
>>> answer = '{"math_notion": ["Vieta formulas"], "pass_rate": 4, "solution_length": 300}'
>>> prediction = prompt.parse(answer)
>>> group = RolloutGroup(
...     problem="Find the sum of the roots of x^2 - 5x + 6.",
...     rollouts=(
...         Rollout(text="By Vieta's formula it is 5.", length=280, correct=True),
...         Rollout(text="I guess 6.", length=40, correct=False),
...     ),
... )
>>> meta_reward(prediction, group)
MetaReward(length=0.0, difficulty=1.0, notion=1.0, total=0.6666666666666666)
"""

from masa_rewards.difficulty import difficulty_reward
from masa_rewards.length import length_reward
from masa_rewards.meta import meta_reward, meta_rewards
from masa_rewards.missing import Missing
from masa_rewards.notions.reward import notion_reward
from masa_rewards.notions.rules import NotionRules
from masa_rewards.notions.stop_words import ENGLISH_STOP_WORDS, common_words
from masa_rewards.prompt.meta_prompt import MetaPrompt, MetaPromptForm
from masa_rewards.prompt.wording import SOLUTION_TEMPLATE
from masa_rewards.types import MetaPrediction, MetaReward, Rollout, RolloutGroup
from masa_rewards.verify.verdict import Verdict
from masa_rewards.verify.verifier import AnswerVerifier

__version__ = "0.1.0"

__all__ = [
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
