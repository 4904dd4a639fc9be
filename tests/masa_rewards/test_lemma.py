from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from masa_rewards.lemma import find_phrases, to_phrase


def occurs(notion: str, text: str) -> bool:
    phrase = to_phrase(notion)
    return find_phrases(text, [phrase]) == {phrase}


@pytest.mark.parametrize(
    ("notion", "text"),
    [
        ("identities", "by a known identity we get"),
        ("identity", "two identities"),
        ("matrices", "The MATRIX is"),
        ("vertex", "its vertices"),
        ("index", "indices i and j"),
        ("axis", "both axes"),
        ("axis", "BOTH AXES"),
        ("3D", "in 3d"),
        ("torus", "two tori"),
        ("median", "the medians meet"),
        ("angle bisector", "angle bisectors"),
        ("calculus", "Calculus shows"),
        ("pigeonhole principle", "the Pigeonhole-Principle gives"),
        ("pigeon-hole", "pigeon hole"),
        ("Vieta's formulas", "by the Vieta formula"),
        ("Vieta formula", "by Vieta\u2019s formulae"),
        ("sqrt", r"\sqrt{2}"),
        (r"\sqrt", "take the sqrt"),
        ("prime number", r"a prime \textbf{number} p"),
        ("prime number", r"a \emph{prime} number"),
        ("geometric series", "a **geometric** series"),
        ("geometric series", "a geometric\nseries"),
        ("finite", "\ufb01nite"),  # the ligature fi
        ("x", "x_1"),
        ("STRASSE", "straße"),
        ("勾股定理", "由勾股定理可知"),
        ("AM-GM", "by AM–GM"),
    ],
)
def test_occurs(notion, text):
    assert occurs(notion, text)


@pytest.mark.parametrize(
    ("notion", "text"),
    [
        ("art", "a part of the chart"),
        ("prime", "primeval"),
        ("calculus", "we calculate with calculators"),
        ("prime number", "the number is prime"),
        ("prime number", "prime, and its number is"),
        ("series", "serious"),
        ("modulus", "modulation"),
        ("", "anything"),
        ("***", "*** anything ***"),
        ("in", r"\sin x"),
        ("ext", r"\text{a}"),
        ("text", r"\text{a}"),
        ("vector", ""),
    ],
)
def test_does_not_occur(notion, text):
    assert not occurs(notion, text)


def test_the_forms_of_a_word_are_one_phrase():
    assert to_phrase("Quadratic Equations") == to_phrase("quadratic-equation")
    assert to_phrase("calculus") == ("calculus",)
    assert to_phrase("modulus") == ("modulus",)
    assert to_phrase("***") == ()


def test_only_what_is_asked_for_is_found():
    one, two, three = to_phrase("sum"), to_phrase("sum of squares"), to_phrase("product")
    assert find_phrases("The sums of square numbers", [one, two, three]) == {one, two}
    assert find_phrases("The sums of square numbers", []) == frozenset()


@given(st.text(st.characters(), max_size=60))
def test_any_notion_with_a_word_in_it_occurs_in_itself(notion):
    phrase = to_phrase(notion)
    assert find_phrases(f"so, {notion}!", [phrase]) == ({phrase} if phrase else frozenset())
