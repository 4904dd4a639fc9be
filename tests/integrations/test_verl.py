"""The rewards in verl 0.9.1: its own reward path, two steps, with the page's rows and settings."""

import asyncio
import json
from types import SimpleNamespace

import pytest
from masa_rewards import MetaPrompt
from masa_rewards.integrations.group_collector import GroupCollector
from masa_rewards.integrations.verl import MasaRewardManager, read_settings, verl_rows

from tests.integrations.doc_pages import read_code_blocks
from tests.integrations.score_files import score_files
from tests.integrations.scripted_answers import PROBLEMS, REWARDS, SCRIPT
from tests.integrations.stack_environments import ROOT, make_environment, needs_uv

HERE = ROOT / "tests" / "integrations"

# The page's sizes: 16 solutions and 8 predictions, half of each as the script has them. GRPO takes
# the mean and the standard deviation (n - 1) of a row: 1/2, and sqrt(16 / 4 / 15) = 0.5163978 or
# sqrt(8 / 4 / 7) = 0.5345225.
ADVANTAGES = {
    ("2 + 3", "solution"): [-0.5 / 0.5163978, 0.5 / 0.5163978],
    ("2 + 3", "meta"): [-0.5 / 0.5345225, 0.5 / 0.5345225],
    ("2 + 4", "solution"): [0.0, 0.0],
}


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    """Two steps of verl with the page's rows and the page's settings."""
    folder = tmp_path_factory.mktemp("verl")
    own = make_environment("verl")
    (rows,) = read_code_blocks("verl")
    (command,) = read_code_blocks("verl", "bash")
    (folder / "rows.py").write_text(rows)
    script = {asked: [[t for t, _ in kind] for kind in kinds] for asked, kinds in SCRIPT.items()}
    (folder / "script.json").write_text(json.dumps(script))
    settings = [word for word in command.split() if "=" in word]
    smaller = [
        f"data.train_files={folder}/train.parquet",
        f"data.val_files={folder}/test.parquet",
        "data.train_batch_size=4",
        "reward.num_workers=2",
        "+reward.reward_kwargs.masa.timeout=4.0",
        "+reward.reward_kwargs.masa.notion_rules.counting=rollout",
    ]
    own.run("python", HERE / "verl_steps.py", folder, *settings, *smaller, seconds=400)
    return json.loads((folder / "result.json").read_text()) | {"rollouts": folder / "rollouts"}


def group_samples(samples, name):
    found = {}
    for sample in samples:
        found.setdefault((sample["problem"][8:13], sample["kind"]), []).append(sample[name])
    return {key: sorted(values) for key, values in found.items()}


@needs_uv
@pytest.mark.parametrize("step", [0, 1])
def test_every_rollout_is_rewarded_by_its_group(steps, step):
    found = group_samples(steps["steps"][step]["samples"], "reward")
    number = {"solution": 16 // 2, "meta": 8 // 2}
    assert found == {
        key: pytest.approx(sorted(values * number[key[1]]), abs=1e-6)
        for key, values in REWARDS.items()
    }


@needs_uv
def test_each_kind_is_compared_with_its_own(steps):
    found = group_samples(steps["steps"][0]["samples"], "advantage")
    for key, (low, high) in ADVANTAGES.items():
        assert (found[key][0], found[key][-1]) == pytest.approx((low, high), abs=1e-5)


@needs_uv
def test_the_rollouts_that_verl_dumps_are_scored(steps):
    """`rollout_data_dir` of verl's trainer, written by it; it states no lengths in tokens."""
    files = sorted(path.name for path in steps["rollouts"].iterdir())
    assert files == ["1.jsonl", "2.jsonl"]
    report = score_files(steps["rollouts"])
    # A step is two problems of 16 solutions and 8 predictions; of one half are right, of one all.
    assert (report.problems, report.rollouts, report.correct) == (4, 64, 48)
    assert (report.predictions, report.unscored.predictions_no_lengths) == (32, 32)
    assert report.notes == ("read as verl's rollouts; an answer is right where score >= 0.5",)
    gate = report.gate
    assert (gate.unit, gate.all_right.groups, gate.all_wrong.groups) == ("characters", 2, 0)
    # Characters are tokens here: 8 of 149 and 8 of 249, against 8 of 199 and 8 of 49.
    assert gate.ceiling == (149 + 249) / (149 + 249 + 199 + 49)
    # Of 2 + 4 it was said 8 and 7 of 8: the paper's rule does not skip that.
    assert (gate.rules[0].skipped, gate.rules[0].missed) == (0, 2)
    assert gate.rules[2].recall.value == 1.0


@needs_uv
def test_figures_and_lengths_come_through(steps):
    (right,) = {
        (sample["length"], sample["told"]["acc"], sample["told"]["masa_length"])
        for sample in steps["steps"][0]["samples"]
        if "By addition" in sample["text"]
    }
    assert right == (200, 1.0, None)
    assert steps["moved"] > 1e-3


@needs_uv
def test_answers_are_verified_with_the_antlr_that_verl_needs():
    told = make_environment("verl").run(
        "python",
        "-c",
        "from importlib.metadata import version\n"
        "from masa_rewards import AnswerVerifier\n"
        "with AnswerVerifier(workers=1) as verifier:\n"
        "    verdict = verifier.verify(r'\\boxed{x(x+1)}', 'x^2+x')\n"
        "print(version('antlr4-python3-runtime'), verdict.status)",
    )
    assert told.split() == ["4.9.3", "correct"]


def test_the_page_names_the_version_that_is_tried():
    text = (ROOT / "docs" / "guides" / "stacks" / "verl.md").read_text()
    pinned = (ROOT / "tests" / "integrations" / "requirements" / "verl.txt").read_text()
    assert "**verl 0.9.1**" in text
    assert "\nverl==0.9.1\n" in pinned


# -- without verl ----------------------------------------------------------------------------------


class FakeConfig(dict):
    """As OmegaConf's: attributes and keys."""

    __getattr__ = dict.__getitem__


def make_config(*, path=None, model=False, workers=8, batch=256, **masa):
    return FakeConfig(
        reward=FakeConfig(
            custom_reward_function=FakeConfig(path=path),
            reward_model=FakeConfig(enable=model),
            num_workers=workers,
            reward_kwargs=FakeConfig(masa=FakeConfig(masa)),
        ),
        data=FakeConfig(train_batch_size=batch),
        actor_rollout_ref=FakeConfig(rollout=FakeConfig(response_length=2048)),
    )


class FakeTokenizer:
    def decode(self, ids, *, skip_special_tokens):
        assert skip_special_tokens
        return "".join(map(chr, ids.values))


class FakeTensor:
    """As much of a tensor as is asked for: one axis, a slice, a sum."""

    def __init__(self, values):
        self.values, self.shape = values, (len(values),)

    def __getitem__(self, part):
        return FakeTensor(self.values[part])

    def sum(self):
        return sum(self.values)


def make_item(text, uid, info, gold="5"):
    ids = [*map(ord, text), 0, 0]  # two of padding
    mask = [1, 1, 1] + [1] * len(text) + [0, 0]  # a prompt of three
    batch = {"responses": FakeTensor(ids), "attention_mask": FakeTensor(mask)}
    columns = {"uid": uid, "extra_info": info, "reward_model": {"ground_truth": gold}}
    return [SimpleNamespace(batch=batch, non_tensor_batch=columns)]


def run_manager(*items, **settings):
    """What the manager says of each; the collector is in this process."""

    async def run():
        manager = MasaRewardManager(config=make_config(**settings), tokenizer=FakeTokenizer())
        collector = GroupCollector(manager.settings.meta_prompt)
        manager._collector = SimpleNamespace(submit=SimpleNamespace(remote=collector.submit))
        with manager.verifier:
            return await asyncio.gather(*map(manager.run_single, items))

    return asyncio.run(run())


def test_the_manager_tells_text_length_and_group():
    rows = verl_rows(PROBLEMS[:1], MetaPrompt(), solutions=1, predictions=1)
    solution, meta = (row["extra_info"] for row in rows)
    text = SCRIPT["2 + 3"][0][0][0]  # right, of 199 characters
    predicted = '{"pass_rate": 8, "solution_length": 199, "math_notion": ["addition"]}'
    told = run_manager(make_item(predicted, "m", meta), make_item(text, "s", solution))
    assert [each["reward_score"] for each in told] == [1.0, 1.0]
    assert told[0]["reward_extra_info"] == {
        "acc": None,
        "masa_reward": 1.0,
        "masa_unrewarded": 0.0,
        "masa_length": 1.0,
        "masa_difficulty": 1.0,
        "masa_notion": 1.0,
    }
    assert told[1]["reward_extra_info"].keys() == told[0]["reward_extra_info"].keys()


def test_settings_are_verls_own_where_they_can_be():
    assert read_settings(make_config()).meta_prompt.max_length == 2048
    given = read_settings(make_config(meta_prompt=FakeConfig(scale=16), timeout=2.0))
    assert (given.meta_prompt.scale, given.meta_prompt.max_length, given.timeout) == (16, 2048, 2.0)
    with pytest.raises(ValueError, match="wait_second"):
        read_settings(make_config(wait_second=1))


@pytest.mark.parametrize("other", [{"path": "reward.py"}, {"model": True}])
def test_another_reward_is_not_left_out_silently(other):
    with pytest.raises(ValueError, match="rewards by itself"):
        MasaRewardManager(config=make_config(**other), tokenizer=None, compute_score=None)


def test_meta_rollouts_that_could_shut_the_solutions_out_are_refused():
    rows = verl_rows(PROBLEMS[:1], MetaPrompt(), solutions=1, predictions=16)
    # 128 problems x 16 meta rollouts = 2048 > 2 workers x 500.
    with pytest.raises(ValueError, match="reward.num_workers to at least 5"):
        run_manager(make_item("", "m", rows[1]["extra_info"]), workers=2)


def test_rows_of_another_make_are_refused():
    with pytest.raises(ValueError, match=r"lacks \['problem_id', .*verl_rows"):
        run_manager(make_item("", "m", {"kind": "meta", "problem": "?"}))


def test_rows():
    solution, meta = verl_rows(PROBLEMS[:1], MetaPrompt(), solutions=3, predictions=2)
    assert (solution["data_source"], meta["data_source"]) == ("masa/solution", "masa/meta")
    assert (solution["__rollout_n__"], meta["__rollout_n__"]) == (3, 2)
    assert solution["reward_model"]["ground_truth"] == "5"
    assert solution["extra_info"] == {
        "index": 0,
        "kind": "solution",
        "problem_id": "0",
        "problem": "What is 2 + 3?",
        "solutions": 3,
        "predictions": 2,
    }
    with pytest.raises(ValueError, match="at least 1"):
        verl_rows(PROBLEMS, MetaPrompt(), solutions=0, predictions=2)


def test_validation_asks_for_solutions_alone():
    rows = verl_rows(PROBLEMS, MetaPrompt(), solutions=2, predictions=0)
    assert [row["data_source"] for row in rows] == ["masa/solution"] * 2
    info = rows[0]["extra_info"]
    right, wrong = run_manager(
        make_item("\\boxed{5}", "s", info), make_item("\\boxed{4}", "s", info)
    )
    assert (right["reward_score"], right["reward_extra_info"]["acc"]) == (1.0, 1.0)
    assert (wrong["reward_score"], wrong["reward_extra_info"]["acc"]) == (0.0, 0.0)
