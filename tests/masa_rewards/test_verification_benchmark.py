"""The benchmark runs, on a few rows, and tells values apart by means of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest
from masa_benchmarks.paths import MATH
from masa_benchmarks.verification.value import compare_targets


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (r"\frac12", "0.5", "same"),
        (r"\frac{3}{6}", r"\frac12", "same"),
        (r"3\frac{1}{2}", "3.5", "same"),
        (r"2\sqrt{2}", r"\sqrt8", "same"),
        ("x^2+2x+1", "(x+1)^2", "same"),
        ("x=5", "5", "same"),
        ("2,1", "1,2", "undecided"),  # a list: in which order is a matter of convention
        ("10,000", "10000", "undecided"),  # a number, or a list
        ("81,256", "256,81", "undecided"),
        ("(1,2)", r"\{1,2\}", "undecided"),
        ("50\\%", "0.5", "undecided"),
        (r"\text{blue}", "5", "undecided"),
        ("x<5", "x>5", "undecided"),
        ("1", "2", "different"),
        ("28_9", "28", "different"),
        ("26", "28_9", "same"),
        ("(1,2)", "(2,1)", "different"),
        ("[1,2)", "(1,2)", "different"),
        ("1,2", "1,2,3", "different"),
        ("x^2", "x^3", "different"),
        ("2i", "2", "different"),
        (r"5\text{ km}", r"5\text{ m}", "same"),  # in value
        (r"\frac{1}{0}", "1", "undecided"),
    ],
)
def test_values_by_hand(one, other, same):
    assert compare_targets(one, other).value == same
    assert compare_targets(other, one).value == same


def run_benchmark(*arguments: str) -> str:
    command = [sys.executable, "-m", "masa_benchmarks.verification", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr
    return done.stdout


needs_data = pytest.mark.skipif(not MATH.exists(), reason=f"the MATH training set is not at {MATH}")


@needs_data
def test_right_and_wrong_answers_of_a_few_rows():
    right = run_benchmark("right", "--rows", "60")
    assert "masa-rewards: right, not accepted: 0" in right
    assert "math-verify: right, not accepted:" in right
    wrong = run_benchmark("wrong", "--rows", "60", "--pairs", "60", "--no-plain")
    assert "60 pairs that differ in value, 30 of them near misses" in wrong
    assert "masa-rewards: wrong, accepted: 0" in wrong


@needs_data
def test_speed_and_latency_of_a_few_rows():
    small = ["--rows", "40", "--pairs", "40", "--no-plain"]
    speed = run_benchmark("speed", *small, "--repeat", "1")
    assert "masa-rewards, 2 workers" in speed
    latency = run_benchmark("latency", *small, "--hostile", "3")
    assert "30 real answers and 3 hostile ones" in latency
    assert "masa-rewards, 2 workers, 8 callers" in latency
