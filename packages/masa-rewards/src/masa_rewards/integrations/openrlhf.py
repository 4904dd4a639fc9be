"""The rewards in stock OpenRLHF: a `reward_func` for `--reward.remote_url FILE.py` (0.11.2).

OpenRLHF calls it with one sample at a time, in a few threads of each vLLM actor: it never sees the
rollouts of a problem together, and must not wait for them, since waiting would block the threads
that the others need. So a solution is verified, and a prediction is judged by a group that was
measured before and is in its label. For predictions judged by the rollouts of the same step use
masa-openrlhf. See docs/guides/stacks/openrlhf.md.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from typing import Any

from masa_rewards.difficulty import DIFFICULTY_BASE
from masa_rewards.integrations.result import RewardResult
from masa_rewards.integrations.targets import TargetWatch
from masa_rewards.meta import meta_reward
from masa_rewards.notions.reward import PAPER
from masa_rewards.notions.rules import NotionRules
from masa_rewards.prompt.meta_prompt import MetaPrompt
from masa_rewards.types import RolloutGroup
from masa_rewards.verify.verifier import AnswerVerifier

GROUP_KEY = "masa_group"
"""Key of the measured group in the label of a meta prompt."""

_PROMPT_END = 200

_logger = logging.getLogger(__name__)


def meta_label(group: RolloutGroup) -> str:
    """Write the label of a meta prompt: the solutions that were measured for its problem.

    Args:
        group: One rollout or more.

    Returns:
        JSON. It is as long as the texts of the rollouts, in which notions are looked for.

    Raises:
        ValueError: If the group is empty.
    """
    group.require_rollouts()
    return json.dumps({GROUP_KEY: group.model_dump(mode="json")}, ensure_ascii=False)


class RewardFunc:
    """The `reward_func` that OpenRLHF looks up in the file.

    A sample whose label was written by `meta_label` is a meta rollout; any other label is the gold
    answer of a solution. OpenRLHF logs `extra_logs` as means over the samples.
    """

    def __init__(
        self,
        prompt: MetaPrompt,
        *,
        verifier: AnswerVerifier | None = None,
        base: float = DIFFICULTY_BASE,
        notion_rules: NotionRules = PAPER,
        verifier_failed: float = 0.0,
    ) -> None:
        """Keep the settings; start nothing.

        Args:
            prompt: Reads the predictions; the one that asked for them.
            verifier: Verifies solutions; by default one with two workers for each vLLM actor.
            base: b of the difficulty reward.
            notion_rules: Which notions count, and how.
            verifier_failed: Reward in [0, 1] of a solution for which the verifier failed:
                OpenRLHF needs a number. Such a solution is logged, and counted as
                `masa_unrewarded`.

        Raises:
            ValueError: If `verifier_failed` is not in [0, 1].
        """
        if not 0.0 <= verifier_failed <= 1.0:
            raise ValueError(f"verifier_failed must be in [0, 1]: got {verifier_failed!r}")
        self._prompt, self._base, self._notion_rules = prompt, base, notion_rules
        self._verifier = AnswerVerifier() if verifier is None else verifier
        self._verifier_failed = verifier_failed
        self._targets = TargetWatch(self._verifier)

    def __call__(
        self, queries: Sequence[str], prompts: Sequence[str], labels: Sequence[str], **_: Any
    ) -> dict[str, Any]:
        """Reward one sample. OpenRLHF calls it.

        Args:
            queries: One text: the prompt and the response to it.
            prompts: The prompt.
            labels: What it is judged by.

        Returns:
            "rewards" and "scores" in [0, 1], and "extra_logs": always the same keys, each one
            number.

        Raises:
            ValueError: If there is not exactly one sample, a label is blank, or the query does not
                hold the prompt. OpenRLHF only logs that, and fails later for want of a reward.
        """
        if not len(queries) == len(prompts) == len(labels) == 1:
            raise ValueError(
                f"OpenRLHF 0.11.2 gives one sample at a time: got {len(queries)} queries, "
                f"{len(prompts)} prompts and {len(labels)} labels"
            )
        result = self._score(extract_response(queries[0], prompts[0]), labels[0])
        reward = self._verifier_failed if result.reward is None else result.reward
        return {
            "rewards": reward,
            "scores": reward,
            "extra_logs": {
                "masa_meta": float(result.verdict is None),
                "masa_unrewarded": float(result.reward is None),
            },
        }

    def _score(self, response: str, label: str) -> RewardResult:
        group = read_label(label)
        if group is not None:
            prediction = self._prompt.parse(response)
            components = meta_reward(
                prediction, group, base=self._base, notion_rules=self._notion_rules
            )
            return RewardResult.of_prediction(prediction, components)
        self._targets.see(label)
        verdict = self._verifier.verify(response, label)
        if verdict.failed:
            _logger.warning("a solution could not be verified: %r", verdict)
        return RewardResult.of_solution(verdict)


def read_label(label: str) -> RolloutGroup | None:
    """Read the group of a meta prompt's label.

    Returns:
        The group; None where the label is a right answer, whatever it looks like.

    Raises:
        ValueError: If it names a group but does not hold one.
    """
    if GROUP_KEY not in label:
        return None
    try:
        entries = json.loads(label)
        group = RolloutGroup.model_validate_json(json.dumps(entries[GROUP_KEY]))
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"the label {label[:200]!r} names {GROUP_KEY!r} but holds no group ({error}): write it "
            "with masa_rewards.integrations.openrlhf.meta_label"
        ) from error
    group.require_rollouts()
    return group


def extract_response(query: str, prompt: str) -> str:
    """Cut the prompt off.

    OpenRLHF cuts a long prompt from its beginning, and decoding it may not give back every blank.
    Then what stands behind the prompt's last 200 characters is the response.

    Raises:
        ValueError: If the query does not hold the end of the prompt.
    """
    if query.startswith(prompt):
        return query[len(prompt) :]
    end = prompt[-_PROMPT_END:]
    if not end or end not in query:
        raise ValueError(
            f"the query does not hold its prompt: it starts with {query[:100]!r}, and the prompt "
            f"ends with {prompt[-100:]!r}"
        )
    return query.split(end, 1)[1]
