"""The rewards in slime, held against the few lines of its source that call them.

slime 0.4.0 needs SGLang and Megatron on GPUs, and is not on PyPI: it is not installed here. `SLIME`
are its calls, `Sample`, `groups` and `rollout` what it does around them.
"""

import ast
import asyncio
import inspect
import math
import sys
from types import SimpleNamespace

import pytest
from masa_rewards import AnswerVerifier, MetaPrompt, Verdict
from masa_rewards.integrations.slime import Masa

from tests.integrations.doc_pages import read_code_blocks
from tests.integrations.scripted_answers import PROBLEMS, REWARDS, choose_answer

# From THUDM/slime, Apache-2.0: sglang_rollout.py and rm_hub/__init__.py of slime/rollout at
# 0b420f1ef416 and 0044b40d6584, slime/ray/rollout.py at a51f0714179d.
SLIME = """
sample = await custom_generate_func(args, sample, sampling_params, evaluation=evaluation)
sample = await custom_generate_func(args, sample, sampling_params)
return await rm_function(args, samples, **kwargs)
return self.custom_reward_post_process_func(self.args, samples)
"""


def test_our_functions_take_what_slime_gives(masa):
    """Each call of slime's, bound to the signature of what it calls."""
    calls = [node for node in ast.walk(ast.parse(wrap_async(SLIME))) if isinstance(node, ast.Call)]
    ours = {
        "custom_generate_func": masa.generate,
        "rm_function": masa.reward,
        "custom_reward_post_process_func": masa.post_process,
    }
    seen = set()
    for call in calls:
        name = getattr(call.func, "id", None) or call.func.attr
        keywords = {word.arg: None for word in call.keywords if word.arg}
        inspect.signature(ours[name]).bind(*call.args, **keywords)
        seen.add(name)
    assert seen == ours.keys()
    assert inspect.iscoroutinefunction(masa.generate)
    assert inspect.iscoroutinefunction(masa.reward)
    assert not inspect.iscoroutinefunction(masa.post_process)


def wrap_async(lines):
    return "async def slime():\n" + "".join(f"    {line}\n" for line in lines.split("\n") if line)


def make_args(**changed):
    known = {"n_samples_per_prompt": 4, "group_rm": True, "grpo_std_normalization": True}
    return SimpleNamespace(**(known | changed))


class FakeSample:
    """The fields of slime.utils.types.Sample that count (0d234f3e3a83)."""

    def __init__(self, problem, index, group_index):
        self.prompt, self.label = problem["problem"], problem["answer"]
        self.index, self.group_index = index, group_index
        self.response, self.response_length, self.reward = "", 0, None
        self.metadata = {}

    def get_reward_value(self, args):
        return self.reward


def make_groups(problems, number=4):
    """As slime.rollout.data_source makes them."""
    return [
        [FakeSample(problem, place * number + member, place) for member in range(number)]
        for place, problem in enumerate(problems)
    ]


class FakeEngine:
    """Stands for slime.rollout.sglang_rollout.generate."""

    def __init__(self):
        self.asked = {}

    async def __call__(self, args, sample, sampling_params):
        before = self.asked.get(sample.prompt, 0)
        self.asked[sample.prompt] = before + 1
        sample.response, sample.response_length = choose_answer(sample.prompt, before)
        return sample


@pytest.fixture(scope="module")
def verifier():
    with AnswerVerifier(workers=1) as made:
        yield made


@pytest.fixture
def masa(verifier):
    return Masa(
        MetaPrompt(),
        predictions=2,
        render=lambda text: f"<user>{text}<assistant>",
        verifier=verifier,
        generate=FakeEngine(),
    )


async def run_rollout(masa, args, group, *, evaluation=False):
    """As slime's generate_and_rm_group and batched_async_rm do it."""
    assert "evaluation" in inspect.signature(masa.generate).parameters
    for sample in group:
        await masa.generate(args, sample, {}, evaluation=evaluation)
    for sample, reward in zip(group, await masa.reward(args, group), strict=True):
        sample.reward = reward


def run_rollouts(masa, args=None, problems=PROBLEMS):
    args = args or make_args()
    made = make_groups(problems, args.n_samples_per_prompt)
    for group in made:
        asyncio.run(run_rollout(masa, args, group))
    return made


def test_a_group_is_asked_both_ways_and_rewarded_together(masa):
    for problem, group in zip(PROBLEMS, run_rollouts(masa), strict=True):
        assert [s.metadata["masa_kind"] for s in group] == ["meta"] * 2 + ["solution"] * 2
        assert group[0].prompt == f"<user>{MetaPrompt().render(problem['problem'])}<assistant>"
        assert group[2].prompt.startswith(f"<user>{problem['problem']}\n\nPlease reason")
        for kind in ("meta", "solution"):
            found = sorted(s.reward for s in group if s.metadata["masa_kind"] == kind)
            expected = REWARDS[problem["problem"][8:13], kind]
            assert found == pytest.approx(expected, abs=1e-6)


def test_what_it_was_worth_is_told(masa):
    (group, _) = run_rollouts(masa)
    assert group[0].metadata["masa_length"] == 1.0
    assert group[0].metadata["masa_difficulty"] == 1.0
    assert group[0].metadata["masa_notion"] == 1.0
    assert [s.metadata["masa_verdict"] for s in group[2:]] == ["correct", "incorrect"]


def test_each_kind_is_compared_with_its_own(masa):
    samples = [sample for group in run_rollouts(masa) for sample in group]
    rewards, compared = masa.post_process(make_args(), samples)
    assert rewards == [sample.reward for sample in samples]
    # 2 + 3: 1 and 0 of each kind; mean 1/2, deviation (n - 1) 1/sqrt(2).
    half = 0.5 / (math.sqrt(0.5) + 1e-6)
    assert compared[:4] == pytest.approx([half, -half, half, -half])
    # 2 + 4: both solutions right.
    assert compared[6:] == [0.0, 0.0]
    assert masa.post_process(make_args(grpo_std_normalization=False), samples)[1][:4] == [
        *(0.5, -0.5, 0.5, -0.5)
    ]


def test_a_group_of_one_is_compared_with_nothing(masa):
    samples = run_rollouts(masa, make_args(n_samples_per_prompt=3), PROBLEMS[:1])[0]
    assert masa.post_process(make_args(), samples)[1][2] == 0.0


def test_a_sample_that_is_gone_on_with_keeps_its_kind(masa):
    (group,) = make_groups(PROBLEMS[:1])
    asyncio.run(masa.generate(make_args(), group[0], {}))
    asked = group[0].prompt
    asyncio.run(masa.generate(make_args(), group[0], {}))
    assert group[0].prompt == asked


def test_an_evaluation_asks_for_solutions_alone(masa):
    (group,) = make_groups(PROBLEMS[:1])
    for sample in group:
        asyncio.run(masa.generate(make_args(), sample, {}, evaluation=True))
    assert {sample.metadata["masa_kind"] for sample in group} == {"solution"}


def test_a_verifier_that_failed_pushes_nobody(caplog):
    class Failing(AnswerVerifier):
        async def averify(self, answer_text, gold):
            return Verdict(status="timeout", answer="5")

    with Failing(workers=1) as verifier:
        masa = Masa(
            MetaPrompt(), predictions=2, render=str, verifier=verifier, generate=FakeEngine()
        )
        (group,) = run_rollouts(masa, problems=PROBLEMS[:1])
    assert [sample.reward for sample in group] == [0.0] * 4
    assert "failed for 2 of 2 solutions" in caplog.text


def test_it_is_said_what_is_wrong(masa):
    (group,) = make_groups(PROBLEMS[:1])
    with pytest.raises(ValueError, match="give slime --group-rm"):
        asyncio.run(masa.reward(make_args(group_rm=False), group))
    with pytest.raises(ValueError, match="--custom-generate-function-path"):
        asyncio.run(masa.reward(make_args(), group))
    with pytest.raises(ValueError, match="raise it"):
        asyncio.run(masa.generate(make_args(n_samples_per_prompt=2), group[0], {}))
    group[0].prompt = [{"role": "user", "content": [{"type": "image"}]}]
    with pytest.raises(ValueError, match="the bare problem, as text"):
        asyncio.run(masa.generate(make_args(), group[0], {}))
    (whole,) = run_rollouts(masa, problems=PROBLEMS[:1])
    with pytest.raises(ValueError, match="a group of 3 samples has 1 meta rollouts, not 2"):
        asyncio.run(masa.reward(make_args(), whole[1:]))
    with pytest.raises(ValueError, match="at least 1: got 0"):
        Masa(MetaPrompt(), predictions=0, render=str)
    with pytest.raises(ValueError, match="must hold"):
        Masa(MetaPrompt(), predictions=1, render=str, solution_template="Solve it.")


def test_the_page_names_what_slime_calls(monkeypatch):
    """The page's module, with a tokenizer that is not asked for on a hub."""

    class AutoTokenizer:
        @staticmethod
        def from_pretrained(name):
            return AutoTokenizer()

        def apply_chat_template(self, turns, **_):
            return f"<user>{turns[0]['content']}<assistant>"

    monkeypatch.setitem(sys.modules, "transformers", SimpleNamespace(AutoTokenizer=AutoTokenizer))
    (module,), (command,) = read_code_blocks("slime"), read_code_blocks("slime", "bash")
    page = {}
    exec(module, page)
    named = {word.split(".")[1] for word in command.split() if word.startswith("masa_slime.")}
    assert named == {"generate", "reward", "post_process"}
    assert all(callable(page[name]) for name in named)
    (sample,) = make_groups(PROBLEMS[:1], 1)[0]
    engine = FakeEngine()
    monkeypatch.setattr(page["masa"], "_generate", engine)
    asyncio.run(page["generate"](make_args(n_samples_per_prompt=24), sample, {}))
    assert list(engine.asked) == [
        f"<user>{page['prompt'].render(sample.metadata['masa_problem'])}<assistant>"
    ]
