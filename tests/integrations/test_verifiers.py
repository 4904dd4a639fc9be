"""The rewards in verifiers 0.4.0: the page's environment, run by verifiers' own `vf-eval`."""

import asyncio
import json
from types import SimpleNamespace

import pytest
from masa_rewards import AnswerVerifier, MetaPrompt
from masa_rewards.integrations.verifiers import ask, reward_episode

from tests.integrations.doc_pages import read_code_blocks
from tests.integrations.score_files import score_files
from tests.integrations.scripted_answers import PROBLEMS, REWARDS, choose_answer
from tests.integrations.scripted_server import serve_script
from tests.integrations.stack_environments import ROOT, make_environment, needs_uv

KINDS = {"solver": "solution", "predictor": "meta"}


@needs_uv
def test_the_page_is_run_by_verifiers(tmp_path):
    (example,) = read_code_blocks("verifiers")
    (tmp_path / "masa_math.py").write_text(example)
    problems = tmp_path / "problems.jsonl"
    problems.write_text("\n".join(map(json.dumps, PROBLEMS)))
    own = make_environment("verifiers")
    with serve_script(choose_answer) as address:
        own.run(
            "python",
            "-c",
            f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
            "from verifiers.v1.cli.eval.main import main; main(sys.argv[1:])",
            "masa_math",
            *("--env.taskset.file", problems, "--env.solutions", 2, "--env.predictions", 2),
            *("--model", "m", "--client.base-url", address, "--client.api-key-var", "NO_KEY"),
            *("--no-push", "--no-rich", "--output-dir", tmp_path, "--run.dir", tmp_path / "run"),
            NO_KEY="none",
        )
    (traces_file,) = (tmp_path / "run").rglob("traces.jsonl")
    episodes = [json.loads(line) for line in traces_file.read_text().splitlines()]
    assert [episode["ok"] for episode in episodes] == [True, True]
    found = {}
    for episode in episodes:
        sum_asked = episode["task"]["data"]["problem"][8:13]
        for trace in episode["traces"]:
            (name, reward) = next(iter(trace["rewards"].items()))
            assert (name, reward["weight"]) == ("masa", 1.0)
            assert trace["metrics"]["masa_reward"] == reward["score"]
            kind = KINDS[trace["agent"]["name"]]
            found.setdefault((sum_asked, kind), []).append(reward["score"])
    assert {key: sorted(values) for key, values in found.items()} == {
        key: pytest.approx(values, abs=1e-6) for key, values in REWARDS.items()
    }
    check_scored(score_files(traces_file), "masa")
    # prime-rl's file monitor writes the same episodes by `to_record`, a line each.
    own.run("python", "-c", PRIME_RL, traces_file, tmp_path / "outputs")
    check_scored(score_files(tmp_path / "outputs" / "rollouts"), "masa")


# As prime_rl.monitors.file.FileMonitor.log_episodes does (August 2026), once of all rollouts and
# once of those that were trained on; with json where it has orjson.
PRIME_RL = """
import json, sys
from pathlib import Path
from verifiers.v1.trace import Trace, WireAgentConfig
from verifiers.v1.state import State
from verifiers.v1.episode import GroupInfo, WireTaskData
from verifiers.v1.utils.trace_store import read_episodes
episodes = read_episodes(Path(sys.argv[1]).parent, Trace[WireTaskData, State, WireAgentConfig])
for subset in ("all", "effective"):
    path = Path(sys.argv[2]) / "rollouts" / "step_1" / "train" / subset / "traces.jsonl"
    path.parent.mkdir(parents=True)
    with open(path, "a") as file:
        for number, episode in enumerate(episodes):
            episode.group = GroupInfo(id=f"g{number}")
            file.write(json.dumps(episode.to_record(), default=str) + chr(10))
"""


def check_scored(report, reward):
    """Two problems of two solutions and two predictions: half right, and both right."""
    assert (report.problems, report.rollouts, report.correct, report.predictions) == (2, 4, 3, 4)
    assert report.notes == (
        f"read as prime-rl's or verifiers' traces; an answer is right where {reward} >= 0.5",
    )
    gate = report.gate
    assert (gate.unit, gate.amount, gate.all_right.amount) == ("tokens", 650, 400)
    # Lengths are known, so that predictions earn what they earned in verifiers.
    wanted = [value for (_, kind), values in REWARDS.items() if kind == "meta" for value in values]
    assert report.rewards.total.mean == pytest.approx(sum(wanted) / 4, abs=1e-6)


def test_the_page_names_the_version_that_is_tried():
    text = (ROOT / "docs" / "guides" / "stacks" / "verifiers.md").read_text()
    pinned = (ROOT / "tests" / "integrations" / "requirements" / "verifiers.txt").read_text()
    assert "**verifiers 0.4.0**" in text
    assert "\nverifiers==0.4.0\n" in pinned


# -- without verifiers -----------------------------------------------------------------------------


def make_trace(name, reply, length=100, *, ok=True, usage=True):
    trace = SimpleNamespace(
        agent=SimpleNamespace(name=name),
        ok=ok,
        usage=object() if usage else None,
        last_reply=reply,
        num_output_tokens=length,
        rewards={},
        metrics={},
    )
    trace.record_reward = trace.rewards.__setitem__
    trace.record_metrics = trace.metrics.update
    return trace


def reward_traces(*traces, **options):
    task = SimpleNamespace(key="k", data=SimpleNamespace(problem="What is 2 + 3?", answer="5"))
    episode = SimpleNamespace(traces=traces)
    with AnswerVerifier(workers=1) as verifier:
        asyncio.run(reward_episode(task, episode, verifier, MetaPrompt(), **options))
    return [trace.rewards.get("masa") for trace in traces]


GOOD = '{"pass_rate": 4, "solution_length": 200, "math_notion": ["addition"]}'


def test_centred_rewards_are_compared_within_their_kind():
    traces = [
        make_trace("predictor", GOOD),
        make_trace("solver", "An addition: \\boxed{5}", 200),
        make_trace("solver", "\\boxed{4}"),
        make_trace("predictor", "?"),
    ]
    # Solutions 1 and 0, predictions 1 and 0: each less its kind's mean of 1/2. Their mean over
    # both kinds, which prime-rl's grpo takes off, is 0.
    assert reward_traces(*traces, centred=True) == [0.5, 0.5, -0.5, -0.5]
    assert [trace.metrics["masa_reward"] for trace in traces] == [1.0, 1.0, 0.0, 0.0]


def test_what_ended_with_an_error_is_no_rollout():
    failed = make_trace("solver", "", ok=False)
    # Were it a wrong solution, p would be 1/2, as predicted; so it is 1, and b ** (1/2) = 0.1.
    right = make_trace("solver", "An addition: \\boxed{5}", 200)
    rewards = reward_traces(make_trace("predictor", GOOD), right, failed)
    assert rewards == [pytest.approx((1 + 0.1 + 1) / 3), 1.0, None]


def test_it_is_said_what_is_wrong():
    solver = make_trace("solver", "\\boxed{5}")
    with pytest.raises(ValueError, match="reports no usage"):
        reward_traces(make_trace("solver", "\\boxed{5}", usage=False))
    with pytest.raises(ValueError, match=r"must be called .*got 'agent'"):
        reward_traces(solver, make_trace("agent", "\\boxed{5}"))
    with pytest.raises(ValueError, match="no solution sample"):
        reward_traces(make_trace("predictor", GOOD))


class FakeAgent:
    def __init__(self, asked, *, fails=False):
        self.asked, self.fails = asked, fails

    async def run(self, task):
        if self.fails:
            raise RuntimeError("no box")
        await asyncio.sleep(0.01)
        self.asked.append(task.prompt)


def ask_both(problem, *, fails=False, **sizes):
    solver, predictor = [], []
    data = SimpleNamespace(problem=problem)
    task = SimpleNamespace(data=data, with_data=lambda prompt: SimpleNamespace(prompt=prompt))
    agents = SimpleNamespace(solver=FakeAgent(solver), predictor=FakeAgent(predictor, fails=fails))
    asyncio.run(ask(task, agents, MetaPrompt(), **sizes))
    return solver, predictor


def test_both_agents_are_asked_as_often_as_said():
    solver, predictor = ask_both("{x} = 2?", solutions=3, predictions=2)
    assert (len(solver), len(predictor)) == (3, 2)
    assert solver[0].startswith("{x} = 2?\n\nPlease reason")
    assert predictor[0] == MetaPrompt().render("{x} = 2?")


def test_a_run_that_raises_ends_the_others():
    with pytest.raises(RuntimeError, match="no box"):
        ask_both("?", solutions=1, predictions=1, fails=True)


@pytest.mark.parametrize("sizes", [(0, 1), (1, 0)])
def test_there_is_one_of_each_at_least(sizes):
    with pytest.raises(ValueError, match="at least 1"):
        ask_both("?", solutions=sizes[0], predictions=sizes[1])
