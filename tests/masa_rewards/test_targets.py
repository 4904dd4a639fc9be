r"""Targets that no answer could be right for are found before training."""

from __future__ import annotations

import pytest
from masa_rewards import AnswerVerifier


@pytest.fixture(scope="module")
def verifier():
    with AnswerVerifier(workers=1) as shared:
        yield shared


@pytest.mark.parametrize(
    ("target", "fault"),
    [
        ("  ", "blank"),
        ("$$", "blank"),
        ("proof", "placeholder"),
        (r"\text{Proof.}", "placeholder"),
        ("notfound", "placeholder"),
        ("nan", "placeholder"),
        ("x" * 1001, "too long"),
        (r"\text{every prime that divides the number of its own divisors}", "sentence"),
        (
            r"f \text{ is a constant function whenever the given series converges absolutely}",
            "sentence",
        ),
        (r"\frac{1}{", "unreadable"),
        (r"\begin{tikzpicture}\draw(0,0);", "unreadable"),
    ],
)
def test_what_no_answer_can_match(verifier, target, fault):
    assert verifier.check_target(target) == fault


@pytest.mark.parametrize(
    "target",
    [
        "42",
        "-0.5",
        "1e-07",
        r"\frac{1}{2}",
        r"\{x \mid 2 \le x < 5\}",
        r"x \equiv 3 \pmod{7}",
        r"\frac{1 \pm \sqrt{5}}{2}",
        r"(-∞,3)",
        r"\begin{cases} x=6 \\ y=5\end{cases}",
        r"x=k\pi, k \in \mathbb{Z}",
        r"\begin{pmatrix}1\\2\end{pmatrix}",
        r"\text{Monday}",
        "Alice and Bob",
        "no",
        "B",
        r"\textbf{(B)}\ 12",
        "1:2:3",
        "40 cm",
        "3 \\text{ cats}, 4 \\text{ dogs}",
        "2, 3, 5",
        r"x^2 + 1 > 0",
        "she has 6*7=<<6*7=42>>42.\n#### 42",
        "The answer is 42.",
    ],
)
def test_what_answers_can_be_compared_with(verifier, target):
    assert verifier.check_target(target) is None


def test_many_targets_are_checked_in_order(verifier):
    targets = ["1", "proof", r"\frac{1}{", "1", r"\frac{1}{"]
    faults = [None, "placeholder", "unreadable", None, "unreadable"]
    assert verifier.check_targets(targets) == faults


def test_each_target_is_checked_once(verifier, monkeypatch):
    checked = []
    begin = verifier._begin_check
    monkeypatch.setattr(verifier, "_begin_check", lambda one: checked.append(one) or begin(one))
    verifier.check_targets(["1", "2", "1", "1"])
    assert checked == ["1", "2"]


def test_a_closed_verifier_checks_nothing():
    verifier = AnswerVerifier()
    verifier.close()
    with pytest.raises(RuntimeError, match="the verifier is closed"):
        verifier.check_target("5")
