from __future__ import annotations

import json
import time
import unicodedata
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from masa_rewards.notions.finder import MAX_WORDS, OR
from masa_rewards.notions.lemmas import _load_dictionary, find_forms, find_lemma
from masa_rewards.notions.phrases import Phrase, find_phrases, to_phrase
from masa_rewards.notions.words import FoldedText


def is_found(notion: str, text: str) -> bool:
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
        ("of the sum", "a sum, of   the, sums"),
        ("to be", "or not \\textbf{to} be"),
        ("café", "in a cafe\u0301 we"),  # a letter and its mark, apart
        ("théorème", "le THE\u0301ORE\u0300ME"),
        ("Vieta's formula", "by Vieta\u02bcs formula"),
        ("prime number", "prime" + " " * 500 + "number"),
        ("prime number", "prime ... (a) \u2014\u2014\u2014 prime \u2014\u2014\u2014 number"),
        ("text", "a text"),
        ("s", "the side s"),
        ("tangency", "two tangencies"),
        ("Poincaré conjecture", "POINCARÉ conjectures"),
        ("intégrale", "deux intégrale?"),
    ],
)
def test_occurs(notion, text):
    assert is_found(notion, text)


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
        ("s", "Vieta's"),
        ("prime number", "prime and number"),
        ("of sum", "a sum"),  # what stands before the telling word counts too
        ("of the sum", "the of sum, a the sum, of a sum"),
        ("prime number", "primes, numerals"),
        ("add", "addeds"),  # no plural of "added"
        ("a", "\u00e1b"),
    ],
)
def test_does_not_occur(notion, text):
    assert not is_found(notion, text)


CASES = json.loads(Path(__file__).with_name("notion_cases.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['notion']} in {case['text']}"[:60])
def test_whether_a_notion_occurs(case):
    assert is_found(case["notion"], case["text"]) == case["occurs"], case["why"]


SAME = [
    ["pigeonhole principle", "Pigeon-hole principle", "the pigeon hole principles"],
    ["Chinese Remainder Theorem (CRT)", "1. Chinese remainder theorem (CRT): x = a mod m"],
    ["M\u00f6bius function", "Mobius functions", "use of the M\u00f6bius function \\mu(n)"],
    ["factorization", "Factorisations"],
    ["AM-GM", "AMGM", "am-gm", "AM\u2013GM"],
    ["n-th root", "nth roots", "$n$-th root"],
    ["non-negative", "nonnegative"],
]


@pytest.mark.parametrize("notions", SAME, ids=lambda notions: notions[0])
def test_one_notion_in_several_forms_is_one_phrase(notions):
    assert len({to_phrase(notion) for notion in notions}) == 1


def test_the_forms_of_a_word_are_one_phrase():
    assert to_phrase("Quadratic Equations") == to_phrase("quadratic-equation")
    assert to_phrase("calculus") == ("calculus",)
    assert to_phrase("modulus") == ("modulus",)
    assert to_phrase("***") == ()
    assert to_phrase("addeds") == ("addeds",)  # "added" is no word that has a plural


def test_only_what_is_asked_for_is_found():
    one, two, three = to_phrase("sum"), to_phrase("sum of squares"), to_phrase("product")
    assert find_phrases("The sums of square numbers", [one, two, three]) == {one, two}
    assert find_phrases("The sums of square numbers", []) == frozenset()


def read_lemmas(text: str) -> Phrase:
    return tuple(find_lemma(word.decode()) for word in FoldedText.of(text).all())


def find_by_every_word(text: str, phrases: Iterable[Phrase]) -> set[Phrase]:
    """What `PhraseFinder` does, slowly: the lemma of every word of the text, in order."""
    lemmas = read_lemmas(text)
    rows = {lemmas[i : i + n] for n in range(1, 5) for i in range(len(lemmas) - n + 1)}
    return rows.intersection(phrases)


PIECES = st.sampled_from(
    [
        *[
            "prime",
            "primes",
            "number",
            "Numbers",
            "matrix",
            "matrices",
            "text",
            "s",
            "a",
            "be",
            "is",
        ],
        *["\\text{", "\\textbf{", "\\sqrt", "'s", "\u2019s", "'", "\\", "-", " ", "  ", "\n", "_"],
        *[
            "\u00e9",
            "e\u0301",
            "\u0301",
            "\uff9e",
            "\ufb01",
            "\u5b9a\u7406",
            "\u221a",
            "\u00b2",
            "\x00",
        ],
        *["\ud800", "\u0130", "3d", "x", "," * 40],
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=6), max_size=40).map("".join)


@settings(max_examples=400)
@given(TEXTS, st.lists(TEXTS, max_size=8))
def test_as_when_every_word_is_read(text, notions):
    phrases = {read_lemmas(notion)[:4] for notion in notions}
    phrases |= {read_lemmas(text)[i : i + 2] for i in range(0, 20, 3)}
    assert find_phrases(text, phrases) == find_by_every_word(text, phrases)


@given(st.text(max_size=40), st.text(max_size=40))
def test_texts_beside_each_other_are_read_as_each_alone(one, other):
    # Runs that are not ASCII are folded one by one: as if the whole were.
    words = list(FoldedText.of(f"{one} {other}").all())
    assert words == [*FoldedText.of(one).all(), *FoldedText.of(other).all()]
    normal = unicodedata.normalize("NFKC", one.encode("utf-8", "replace").decode())
    assert list(FoldedText.of(normal).all()) == list(FoldedText.of(one).all())


@given(st.text(st.characters(), max_size=60))
def test_any_notion_with_a_word_in_it_occurs_in_itself(notion):
    phrase = to_phrase(notion)
    occurs = 0 < len(phrase) <= MAX_WORDS or OR in phrase
    assert find_phrases(f"so, {notion}!", [phrase]) == ({phrase} if occurs else frozenset())


def test_a_phrase_without_end_occurs_nowhere():
    start = time.perf_counter()
    endless = ("a",) * 10_000
    assert find_phrases("a " * 12_000, [endless, endless[:MAX_WORDS]]) == {endless[:MAX_WORDS]}
    assert time.perf_counter() - start < 5.0


def test_many_phrases_that_start_alike_in_a_text_of_their_words():
    phrases = [to_phrase(f"the sum {n}") for n in range(500)]
    start = time.perf_counter()
    assert len(find_phrases("the sum " * 5_000 + "499", phrases)) == 1
    assert time.perf_counter() - start < 5.0


def test_every_word_of_the_dictionary_is_a_form_of_its_lemma():
    words = [word.casefold() for word in _load_dictionary().lemmas]
    words += [f"{word}s" for word in words[::7]]
    assert [w for w in words if w.isalpha() and w.encode() not in find_forms(find_lemma(w))] == []


@given(
    st.text("aeinrstzy", min_size=1, max_size=9), st.sampled_from(["", "s", "es", "ies", "cies"])
)
def test_every_made_up_word_is_a_form_of_its_lemma(stem, ending):
    word = stem + ending
    assert word.encode() in find_forms(find_lemma(word))
    assert all(
        find_lemma(form.decode()) == find_lemma(word) for form in find_forms(find_lemma(word))
    )
