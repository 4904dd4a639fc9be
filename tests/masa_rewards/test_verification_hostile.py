"""Answers made to hang, kill or deceive the verifier: hostile_cases.json."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from masa_rewards import AnswerVerifier, Verdict
from masa_rewards.verify.case import read_case

from tests.masa_rewards.verifier_helpers import ALGEBRA, list_worker_pids, wait_for_free_slots

CASES = json.loads(Path(__file__).with_name("hostile_cases.json").read_text(encoding="utf-8"))
NAMES = [case["name"] for case in CASES]
TIMEOUT = 1.0
START = 20.0  # seconds for a worker to start, on a busy machine


class TimedVerdict(NamedTuple):
    verdict: Verdict
    seconds: float


class HostileRun(NamedTuple):
    outcomes: dict[str, TimedVerdict]
    marker: Path
    honest: list[Verdict]


def build_text(case: dict[str, Any], marker: Path = Path("/nowhere")) -> str:
    text = case.get("text") or case["head"] + case["piece"] * case["times"] + case["tail"]
    return text.replace("MARKER", str(marker))


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> HostileRun:
    """All cases, one after the other, and an honest one after each tenth."""
    marker = tmp_path_factory.mktemp("hostile") / "executed"
    outcomes: dict[str, TimedVerdict] = {}
    honest: list[Verdict] = []
    with AnswerVerifier(workers=1, timeout=TIMEOUT) as verifier:
        verifier.verify(*ALGEBRA)
        for number, case in enumerate(CASES):
            start = time.monotonic()
            verdict = verifier.verify(build_text(case, marker), case["gold"])
            outcomes[case["name"]] = TimedVerdict(verdict, time.monotonic() - start)
            if number % 10 == 9:
                honest.append(verifier.verify(*ALGEBRA))
        assert wait_for_free_slots(verifier, 1)
        assert len(list_worker_pids(verifier)) <= 1
    return HostileRun(outcomes, marker, honest)


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_none_is_right_and_none_hangs(run, case):
    verdict, seconds = run.outcomes[case["name"]]
    assert verdict.status in ("incorrect", "unparsable", "timeout", "error"), case["why"]
    assert seconds < TIMEOUT + START


def test_none_kills_the_pool(run):
    assert [verdict.status for verdict in run.honest] == ["correct"] * (len(CASES) // 10)


def test_the_corpus_bites_and_most_of_it_is_seen_through(run):
    statuses = [outcome.verdict.status for outcome in run.outcomes.values()]
    assert statuses.count("timeout") >= 5
    assert statuses.count("incorrect") + statuses.count("unparsable") >= 0.7 * len(CASES)


def test_nothing_is_executed(run):
    assert sum("MARKER" in build_text(case, Path("MARKER")) for case in CASES) >= 10
    assert not run.marker.exists()
    code = [case["name"] for case in CASES if case["name"].startswith("code: ")]
    assert {run.outcomes[name].verdict.status for name in code} <= {"incorrect", "unparsable"}


def is_quick(call, seconds=0.25, tries=3):
    """Whether it takes less of the processor, once: a collection of garbage may fall into it."""
    for _ in range(tries):
        start = time.process_time()
        call()
        if time.process_time() - start < seconds:
            return True
    return False


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_none_holds_up_the_caller_itself(case):
    # What runs in the caller's process has no time limit: it must not need one.
    text = build_text(case)
    assert is_quick(lambda: read_case(text, case["gold"], "anchored"))


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_a_hostile_gold_does_not_either(case):
    gold = build_text(case)[-20_000:]
    assert is_quick(lambda: read_case(r"\boxed{x+1}", gold, "boxed"))


def test_each_case_has_a_name_of_its_own_and_says_why():
    assert len(set(NAMES)) == len(CASES) >= 100
    assert all(case["why"] and case["gold"].strip() for case in CASES)
