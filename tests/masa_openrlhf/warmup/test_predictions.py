"""What the second stage shows: the form of a prediction, and nothing of any one problem."""

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from masa_openrlhf.warmup.notions import NotionDealer, list_content_words
from masa_openrlhf.warmup.observations import collect_marginals
from masa_openrlhf.warmup.predictions import (
    deal_values,
    describe_short_lengths,
    draw_values,
    make_prediction_demonstrations,
    write_prediction,
)
from masa_rewards import MetaPrediction, MetaPrompt, NotionRules
from masa_rewards.notions.phrases import find_phrases, to_phrase
from masa_rewards.statistics import pearson_correlation

from tests.masa_openrlhf.warmup.observed import observe

PROMPT = MetaPrompt(min_length=4, max_length=512)
# Of each problem other words; what is solved more often is longer: all of it could be planted.
WORDS = ("factor", "triangle", "remainder", "fraction", "sieve", "median", "vector", "cube")
OBSERVED = [
    observe(i, i % 5, f"By the {WORDS[i % 8]} number{i:03d}, the answer.") for i in range(40)
]


def demonstrate(observed=OBSERVED, spread=0.0, seed=0):
    dealer = NotionDealer(observed, NotionRules(), ())
    rng = random.Random(seed)
    shown = make_prediction_demonstrations(observed, PROMPT, dealer, rng, spread=spread)
    return shown, [PROMPT.parse(one.response) for one in shown]


def test_every_part_of_every_demonstration_is_readable():
    shown, predictions = demonstrate()
    assert [dict(prediction.missing) for prediction in predictions] == [{}] * 40
    assert [one.prompt for one in shown] == [PROMPT.render(o.problem.text) for o in OBSERVED]
    assert shown[0].response.startswith("<meta> A problem of Count, apples. </meta>\n{")
    bare = MetaPrompt(wording="{problem} Predict.", max_length=512)
    assert write_prediction(bare, "Count.", MetaPrediction(pass_rate=0.5)) == '{"pass_rate": 4}'


@pytest.mark.parametrize("seed", range(5))
def test_what_is_stated_does_not_go_with_what_was_observed(seed):
    _, predictions = demonstrate(seed=seed)
    rates = [(o.pass_rate, p.pass_rate) for o, p in zip(OBSERVED, predictions, strict=True)]
    lengths = [(o.answers[0].tokens, p.length) for o, p in zip(OBSERVED, predictions, strict=True)]
    both = [(p.pass_rate, p.length) for p in predictions]
    assert abs(pearson_correlation(rates)) < 0.05
    assert abs(pearson_correlation(lengths)) < 0.05
    assert abs(pearson_correlation(both)) < 0.5  # by chance alone, of 40


def test_the_values_are_those_that_were_observed():
    _, predictions = demonstrate()
    assert Counter(p.pass_rate for p in predictions) == Counter(o.pass_rate for o in OBSERVED)
    assert {p.length for p in predictions} <= set(collect_marginals(OBSERVED).lengths)


def test_a_spread_keeps_every_value_possible():
    never = [observe(i, 0) for i in range(200)]
    _, predictions = demonstrate(never, spread=0.5)
    stated = Counter(prediction.pass_rate for prediction in predictions)
    assert set(stated) == {k / 8 for k in range(9)}
    assert 80 <= stated[0.0] <= 140
    _, predictions = demonstrate(never)
    assert {prediction.pass_rate for prediction in predictions} == {0.0}


def test_notions_are_words_of_other_solutions():
    own = {
        o.problem.id: set(list_content_words([o.answers[0].text], NotionRules())) for o in OBSERVED
    }
    shown, predictions = demonstrate()
    for one, prediction in zip(shown, predictions, strict=True):
        assert 1 <= len(prediction.notions) <= 3
        others = set().union(*(words for name, words in own.items() if name != one.problem))
        assert set(prediction.notions) <= others
    named = Counter(notion for prediction in predictions for notion in prediction.notions)
    assert not {"answer", "the"} & named.keys()  # in every solution, or in none
    assert len(named) > 4


def test_notions_of_the_statement_are_left_out_and_rules_decide():
    texts = ["We use apples and a sieve.", "Take a triangle.", "A median here."]
    observed = [observe(i, 1, text) for i, text in enumerate(texts * 3)]
    dealer = NotionDealer(observed, NotionRules(stop_words=frozenset({"median"})), ())
    rng = random.Random(0)
    dealt = [dealer.deal(0, "Count 3 triangles.", rng) for _ in range(100)]
    words = {word for some in dealt for word in some}
    assert words == {"apples", "sieve", "take"}  # of solutions 3, 4 and so on
    assert not any(find_phrases("Count 3 triangles.", map(to_phrase, some)) for some in dealt)


def test_without_words_of_its_own_the_shown_solutions_give_them():
    observed = [observe(i, 0, "1 2 3 \\boxed{4}") for i in range(9)]
    silent = [observe(i, 0, "12 34") for i in range(9)]
    rng = random.Random(0)
    assert NotionDealer(silent, NotionRules(), ["The answer is"]).deal(0, "?", rng) == ("answer",)
    assert NotionDealer(silent, NotionRules(), ()).deal(0, "?", rng) == ()
    assert NotionDealer(observed, NotionRules(), ["The answer is"]).deal(0, "?", rng)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.floats(0, 1)), min_size=1, max_size=30),
    st.integers(0, 1000),
)
def test_dealing_keeps_the_values(observed, seed):
    rng = random.Random(seed)
    values = draw_values([0.0, 0.25, 1.0], len(observed), rng, within=(0.0, 1.0))
    assert Counter(deal_values(observed, values, rng)) == Counter(values)
    counts = Counter(values)
    assert max(counts.values()) - min(counts[v] for v in (0.0, 0.25, 1.0)) <= 1


def test_lengths_are_those_of_right_solutions_where_there_are_some():
    few = [observe(1, 1, tokens=7), observe(2, 0, tokens=50)]
    assert set(collect_marginals(few).lengths) == {7, 50}
    many = [observe(1, 4, tokens=7), observe(2, 4, tokens=9), observe(3, 0, tokens=50)]
    assert set(collect_marginals(many).lengths) == {7, 9}
    cut = [observe(1, 0, tokens=64, truncated=True)]
    assert set(collect_marginals(cut).lengths) == {64}


def test_where_nothing_could_be_judged_it_says_so():
    with pytest.raises(ValueError, match="none of the solutions of 0 problems could be judged"):
        collect_marginals([])


def test_lengths_that_cannot_be_stated_are_told():
    marginals = collect_marginals([observe(1, 4, tokens=60), observe(2, 4, tokens=200)])
    assert describe_short_lengths(marginals, PROMPT) == ""
    said = describe_short_lengths(marginals, MetaPrompt(max_length=512))
    assert "50% of the solutions are shorter than meta.prompt.min_length (128 tokens" in said
    assert "median 130" in said
