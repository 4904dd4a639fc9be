from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from masa_rewards import AnswerVerifier, Verdict

from tests.masa_rewards.verifier_helpers import ALGEBRA

CASES = json.loads(Path(__file__).with_name("verification_cases.json").read_text(encoding="utf-8"))
DATA = Path(__file__).resolve().parents[3] / "shared" / "data" / "math_train.parquet"


@pytest.fixture(scope="module")
def verifier():
    with AnswerVerifier(workers=1) as shared:
        yield shared


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['answer']} for {case['gold']}")
def test_verdicts(verifier, case):
    verdict = verifier.verify(rf"So it is $\boxed{{{case['answer']}}}$.", case["gold"])
    assert verdict.status == case["status"], (case["why"], verdict)
    assert verdict.correct == (case["status"] == "correct")
    assert not verdict.failed


def test_every_case_says_who_decided_it():
    known = ("MATH data set", "Hendrycks normalisation", "math-verify: ", "AMC and AIME", "ours: ")
    assert all(case["source"].startswith(known) for case in CASES)
    assert len({(case["answer"], case["gold"]) for case in CASES}) == len(CASES)


def test_no_answer_is_never_right(verifier):
    verdict = verifier.verify("I do not know.", r"\frac{}{")
    assert verdict.status == "unparsable"
    assert verdict.answer is None
    assert "no boxed answer in the last 8192 characters" in verdict.detail
    assert verifier.verify(r"\boxed{$}", "$").status == "unparsable"  # nothing is not "nothing"


def test_an_answer_without_end_is_not_computed(verifier):
    verdict = verifier.verify(rf"\boxed{{{'x' * 1001}}}", "x^2")
    assert (verdict.status, verdict.detail) == ("unparsable", "an answer of 1001 > 1000 characters")
    assert verifier.verify(rf"\boxed{{{'x' * 1001}}}", "x" * 1001).status == "correct"


def test_anchored_answers_are_a_setting():
    text = "Therefore the final answer is 5."
    with AnswerVerifier() as boxed, AnswerVerifier(extraction="anchored") as anchored:
        assert boxed.verify(text, "5").status == "unparsable"
        assert anchored.verify(text, "5") == Verdict(status="correct", answer="5")


@pytest.mark.parametrize("gold", ["", "  \n"])
def test_a_blank_gold_is_refused(verifier, gold):
    with pytest.raises(ValueError, match="gold is blank"):
        verifier.verify(r"\boxed{5}", gold)


@pytest.mark.parametrize("text", ["\ud800", "a\x00b", "\n", '"', "\u2028", "é" * 900])
def test_any_characters_pass_through_the_pipe(verifier, text):
    assert verifier.verify(rf"\boxed{{{text} + x}}", "x^2").status in ("unparsable", "incorrect")
    assert verifier.verify(*ALGEBRA).status == "correct"


def test_importing_the_package_loads_no_computer_algebra():
    heavy = "{'sympy', 'math_verify', 'simplemma', 'numpy', 'torch', 'ray'}"
    check = f"import sys, masa_rewards; print(sorted({heavy} & {{*sys.modules}}))"
    out = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"workers": 0}, "workers must be at least 1: got 0"),
        ({"timeout": 0}, "timeout must be more than 0 seconds: got 0"),
        ({"memory_mb": 100}, "memory_mb must be at least 256: got 100"),
        ({"start_timeout": -1.0}, "start_timeout must be more than 0 seconds"),
        ({"max_waiting": 0}, "max_waiting must be at least 1: got 0"),
        ({"extraction": "all"}, "extraction must be one of .*got 'all'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        AnswerVerifier(**settings)


@pytest.mark.skipif(not DATA.exists(), reason=f"the MATH training set is not at {DATA}")
def test_gold_solutions_are_right_and_those_of_other_problems_wrong(verifier):
    import pyarrow.parquet as parquet

    rows = parquet.read_table(DATA, columns=["reward_model"]).to_pylist()[::50]
    truths = [row["reward_model"]["ground_truth"] for row in rows]
    truths = [truth for truth in truths if truth["target"].strip()]
    right = verifier.verify_many([(truth["solution"], truth["target"]) for truth in truths])
    assert sum(verdict.correct for verdict in right) >= 0.99 * len(truths)
    shifted = zip(truths, truths[1:] + truths[:1], strict=True)
    pairs = [
        (one["solution"], other["target"])
        for one, other in shifted
        if one["target"] != other["target"]
    ][::4]
    wrong = verifier.verify_many(pairs)
    assert len(pairs) > 30
    assert not [pair for pair, verdict in zip(pairs, wrong, strict=True) if verdict.correct]
