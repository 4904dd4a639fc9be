"""The contracts hold for what is here, and fail for what breaks them."""

import asyncio
import dataclasses
import itertools
import re
from pathlib import Path

import masa_control
import numpy as np
import pytest
from masa_control import (
    AuditedGate,
    AuditedGateSettings,
    ChoiceSettings,
    Completion,
    Controller,
    GroupOutcome,
    Planner,
    PredictiveGate,
    ProblemView,
    contracts,
)
from masa_control.contracts import (
    ContractError,
    check_engine,
    check_gate,
    check_planner,
    check_reader,
    check_signal,
    check_verifier,
)
from masa_control.decisions.choice import ProblemChoice
from masa_control.decisions.settings import ControlSettings
from masa_control.decisions.threshold_gate import ThresholdGateSettings
from masa_control.episode.plan import GateDecision
from masa_control.readers.build import build_reader
from masa_control.readers.settings import (
    HistoryReaderSettings,
    ProbeReaderSettings,
    WordsReaderSettings,
)
from masa_rewards import AnswerVerifier, MetaPrompt

from tests.masa_control.fakes import ScriptedVerifier, make_completion

VIEWS = [
    ProblemView(
        f"problem-{number}",
        prompt_ids=(1, 2 + number % 5, 2 + number % 3),
        hidden_D=np.linspace(number, 1 + number, 4, dtype=np.float32),
    )
    for number in range(30)
]


class CountingEngine:
    """An engine that answers in as many tokens as it may, or as it is told to."""

    def __init__(self, **faults):
        self.faults = faults
        self.asked = 0

    def encode(self, prompt):
        self.asked += 1
        return [self.asked] if self.faults.get("drifts") else [ord(c) for c in prompt]

    async def generate(self, token_ids, *, max_tokens, n, kind):
        made = make_completion("4", tokens=max_tokens, truncated=True)
        changed = {k: v for k, v in self.faults.items() if k in ("truncated", "logprobs", "text")}
        made = dataclasses.replace(made, **changed)
        if "tokens" in self.faults:
            made = dataclasses.replace(made, token_ids=(1,) * self.faults["tokens"], logprobs=None)
        return [made] * (n - self.faults.get("too_few", 0))


def test_an_engine_that_does_as_it_is_told():
    asyncio.run(check_engine(CountingEngine()))
    asyncio.run(check_engine(CountingEngine(logprobs=None)))


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        ({"drifts": True}, "the same ids each time"),
        ({"too_few": 1}, "returned 2 completions"),
        ({"tokens": 9}, "has 9 tokens"),
        ({"tokens": 0}, "has 0 tokens"),
        ({"tokens": 3}, "truncated at 3 of 8"),
        ({"logprobs": (-1.0,)}, "8 tokens and 1 log-prob"),
        ({"logprobs": (0.5,) * 8}, "at most 0"),
        ({"logprobs": (float("nan"),) * 8}, "finite"),
        ({"text": None}, "text is NoneType"),
    ],
)
def test_an_engine_that_does_not(faults, said):
    with pytest.raises(ContractError, match=said):
        asyncio.run(check_engine(CountingEngine(**faults)))


def test_our_verifier():
    with AnswerVerifier(workers=1) as verifier:
        asyncio.run(
            check_verifier(
                verifier, gold="4", right=["So \\boxed{4}.", "\\boxed{2+2}"], wrong=["\\boxed{5}"]
            )
        )


class OtherVerifier(ScriptedVerifier):
    """The scripted one says nothing of an empty text."""

    async def averify(self, answer_text, gold):
        return await super().averify(answer_text or "nothing", gold)


@pytest.mark.parametrize(
    ("verifier", "right", "wrong", "said"),
    [
        (OtherVerifier(), ["5"], [], "states '4' and is judged 'incorrect'"),
        (OtherVerifier(), ["4"], ["4"], "does not state '4' and is judged 'correct'"),
        (OtherVerifier(), ["4"], ["!"], "judged 'error'"),
        (ScriptedVerifier(), ["4"], ["5"], "raised IndexError"),
    ],
)
def test_a_verifier_that_is_wrong(verifier, right, wrong, said):
    with pytest.raises(ContractError, match=said):
        asyncio.run(check_verifier(verifier, gold="4", right=right, wrong=wrong))


@pytest.mark.parametrize(
    "gate",
    [
        PredictiveGate(),
        AuditedGate(AuditedGateSettings()).gate(),
        ThresholdGateSettings(),
        ProblemChoice(ChoiceSettings()).gate(None),
    ],
    ids=["static", "audited", "threshold", "choice"],
)
def test_our_gates(gate):
    check_gate(gate)


class BrokenGate:
    """Decides by one rule."""

    def __init__(self, decide):
        self.decide = decide
        self.judge = lambda belief: GateDecision(skip=False, reason=None)


def skip_all(rates):
    return GateDecision(skip=True, reason="trivial", mean=1.0)


def skip_without_reason(rates):
    return GateDecision(skip=bool(rates) and None not in rates, reason=None, mean=1.0)


def test_a_gate_that_breaks_its_contract():
    with pytest.raises(ContractError, match="cannot be pickled"):
        check_gate(BrokenGate(lambda rates: None))
    faults = ((skip_all, "no prediction could be read"), (skip_without_reason, "the reason None"))
    for decide, said in faults:
        gate = BrokenGate(decide)
        gate.judge = judge_nothing
        with pytest.raises(ContractError, match=said):
            check_gate(gate)


TURNS = itertools.count(1)


def decide_by_turns(rates):
    skip = None not in rates and len(rates) > 0 and next(TURNS) % 2 == 0
    return GateDecision(skip=skip, reason="trivial" if skip else None, mean=1.0)


def test_a_gate_that_decides_otherwise_the_second_time():
    gate = BrokenGate(decide_by_turns)
    gate.judge = judge_nothing
    with pytest.raises(ContractError, match="when it is asked again"):
        check_gate(gate)


@dataclasses.dataclass(frozen=True)
class BrokenPlanner:
    """A planner whose plans are changed."""

    changes: tuple[tuple[str, object], ...] = ()
    drifts: bool = False
    needs_predictions = True

    def plan(self, problem_id, predictions, limit, *, belief=None, answers=()):
        plan = Planner(step=1, seed=0).plan(problem_id, predictions, limit, belief=belief)
        changes = dict(self.changes)
        if self.drifts:
            changes["max_tokens"] = next(TURNS)
        return dataclasses.replace(plan, **changes)


SKIPPED = GateDecision(skip=True, reason="trivial", mean=1.0)


@pytest.mark.parametrize(
    ("planner", "said"),
    [
        (BrokenPlanner((("max_tokens", 1001),)), "allows 1001 tokens"),
        (BrokenPlanner((("max_tokens", 0),)), "allows 0 tokens"),
        (BrokenPlanner((("cutoff_audited", True), ("max_tokens", 9))), "stops solutions at 9"),
        (BrokenPlanner((("gate_audit", 1.5),)), "gate_audit is 1.5"),
        (BrokenPlanner((("gate", SKIPPED), ("gate_audited", True))), "by a share of 0"),
        (BrokenPlanner(drifts=True), "another plan when it is asked for again"),
    ],
)
def test_a_planner_that_breaks_its_contract(planner, said):
    with pytest.raises(ContractError, match=said):
        check_planner(planner)


def test_a_planner_that_breaks_none():
    check_planner(BrokenPlanner())


def judge_nothing(belief):
    return GateDecision(skip=False, reason=None)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"gate": {"rule": "static", "audit": 0.3}, "cutoff": {"rule": "fixed"}},
        {"gate": {"rule": "audited"}, "allocation": {"rule": "waves"}},
        {"reader": {"rule": "words"}, "gate": {"rule": "choice"}},
    ],
)
def test_our_planners(settings):
    controller = Controller(ControlSettings.model_validate(settings), MetaPrompt(), seed=1)
    check_planner(controller.planner(1000))


@pytest.mark.parametrize(
    "settings",
    [
        WordsReaderSettings(min_groups=20),
        ProbeReaderSettings(min_groups=20),
        HistoryReaderSettings(),
    ],
)
def test_our_readers(settings):
    check_reader(lambda: build_reader(settings), VIEWS)


class Forgetful:
    """A reader whose state says nothing, or that believes by the order of reading."""

    def __init__(self, inner, fault):
        self.inner, self.fault, self.reads = inner, fault, 0

    def read(self, view, step):
        return self.inner.read(view, step)

    def read_many(self, views, step):
        found = self.inner.read_many(views, step)
        return found[::-1] if self.fault == "order" else found

    def observe(self, outcomes, step):
        self.inner.observe((GroupOutcome(*outcome) for outcome in outcomes), step)

    def metrics(self):
        return {"groups": 3.0} if self.fault == "metrics" else self.inner.metrics()

    def state_dict(self):
        state = self.inner.state_dict()
        return {**state, "views": VIEWS} if self.fault == "json" else state

    def load_state_dict(self, state):
        forgets = self.fault == "state" or (self.fault == "refusal" and "something" in state)
        if not forgets:
            self.inner.load_state_dict(state)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("order", "read_many believes"),
        ("json", "plain JSON"),
        ("state", "believes something else"),
        ("refusal", "not its own"),
        ("metrics", "a metric is 'groups'"),
    ],
)
def test_a_reader_that_breaks_its_contract(fault, said):
    def make():
        return Forgetful(build_reader(HistoryReaderSettings()), fault)

    with pytest.raises(ContractError, match=said):
        check_reader(make, VIEWS)


class Sign:
    """Whether the answer is positive."""

    key, asked, weight = "positive", "true or false, whether the answer is positive", 1.0

    def __init__(self, fault=None):
        self.fault = fault
        if fault == "weight":
            self.weight = 0.0

    def read(self, value):
        if self.fault == "raises":
            return value > 0
        return value if isinstance(value, bool) else None

    def reward(self, prediction, group, answer):
        if self.fault == "reward":
            return sum(rollout.correct for rollout in group.rollouts)
        return float(prediction is (float(answer) > 0))


def test_a_signal():
    check_signal(Sign(), [True, False])


@pytest.mark.parametrize(
    ("fault", "values", "said"),
    [
        ("weight", [True], "weight must be above 0"),
        ("raises", [True], "raised TypeError"),
        ("reward", [True], "outside"),
        (None, ["yes"], "can never be right"),
    ],
)
def test_a_signal_that_breaks_its_contract(fault, values, said):
    with pytest.raises(ContractError, match=said):
        check_signal(Sign(fault), values)


def test_a_completion_of_the_example_is_what_an_engine_returns():
    assert isinstance(make_completion("x"), Completion)


PAGE = Path(__file__).parents[2] / "docs" / "reference" / "extension_points.md"


def test_the_example_of_the_page_runs():
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    exec(compile(code, PAGE.name, "exec"), {})


def test_the_table_of_the_page_names_what_there_is():
    rows = re.findall(r"^\| \[`(\w+)`\].*\| `(check_\w+)\(", PAGE.read_text(), re.MULTILINE)
    assert sorted(check for _, check in rows) == sorted(
        name for name in contracts.__all__ if name.startswith("check_")
    )
    for protocol, _ in rows:
        assert getattr(masa_control, protocol)._is_protocol
