import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from masa_control import HintChooser, Hints, RecordedHints
from masa_rewards.notions.phrases import to_phrase
from masa_rewards.notions.rules import NotionCount

from tests.masa_control.factories import list_saved_forms, to_json_data

NOTIONS = st.lists(
    st.one_of(st.none(), st.lists(st.sampled_from(["sum", "Sums", "carry", "law of sines", "**"]))),
    max_size=6,
)
COUNTS = st.dictionaries(
    st.sampled_from([("sum",), ("carry",), ("law", "of", "sine")]),
    st.builds(
        lambda c, i, more, less: NotionCount(c, i, c + more, i + less), *[st.integers(0, 4)] * 4
    ),
)


def test_what_most_predictions_name_comes_first():
    chooser = HintChooser(max_notions=2)
    assert chooser.choose([("carry", "sum"), ("sum",), ("parity",)]) == ("sum", "carry")
    assert chooser.choose([("sum",), None, ()]) == ("sum",)
    assert chooser.choose([None, None]) == chooser.choose([]) == ()


def test_one_prediction_names_a_notion_once():
    # "sum" three times in one prediction is named less often than "parity" in two.
    chooser = HintChooser(max_notions=1)
    assert chooser.choose([("sum", "Sums", "sum"), ("parity",), ("parity",)]) == ("parity",)


def test_spellings_of_a_notion_are_one_and_the_first_by_the_alphabet_is_put():
    assert HintChooser().choose([("sums",), ("sum",), ("Sum", "sum")]) == ("Sum",)


@given(NOTIONS, st.integers(1, 4), st.randoms())
def test_order_does_not_matter_and_there_are_no_more_than_asked(notions, most, rng):
    shuffled = random.Random(rng.random()).sample(notions, len(notions))
    chosen = HintChooser(most).choose(notions)
    assert chosen == HintChooser(most).choose(shuffled)
    assert len(chosen) <= most
    assert chosen == HintChooser(most + 1).choose(notions)[:most]


def test_only_good_ones_where_a_record_is_asked_for():
    chooser = HintChooser(good=frozenset({to_phrase("sum")}))
    assert chooser.choose([("carry", "Sums")]) == ("Sums",)
    assert HintChooser(good=frozenset()).choose([("sum",)]) == ()


def hints(**settings):
    return Hints(RecordedHints(**settings))


def test_without_a_record_all_may_be_put():
    made = Hints()
    made.observe({("sum",): NotionCount(0, 4, 4, 4)})
    assert made.chooser() == HintChooser(5, None)
    assert made.metrics() == {}


def test_a_record_by_hand():
    made = hints(min_seen=4)
    # 4 solutions, 2 right: "sum" stood in 2 right and 1 wrong: 2 - 3 / 2 = 0.5 more than chance.
    made.observe({("sum",): NotionCount(2, 1, 2, 2), ("guess",): NotionCount(0, 2, 2, 2)})
    assert made.chooser().good == frozenset()  # seen 3 times
    made.observe({("sum",): NotionCount(1, 0, 1, 3), ("guess",): NotionCount(0, 3, 1, 3)})
    assert made.chooser().good == {("sum",)}
    assert made.metrics() == {"hints/remembered": 2.0, "hints/eligible": 1.0}
    assert to_json_data(made.state_dict())["records"] == [
        [["guess"], 5, -1.75],
        [["sum"], 4, 0.5 + 0.75],
    ]


def test_notions_of_easy_problems_are_not_good_for_that():
    made = hints(min_seen=1)
    # In an easy problem in 7 right and 1 wrong of 7 right and 1 wrong; in a hard one in none.
    made.observe({("the",): NotionCount(7, 1, 7, 1)})
    made.observe({("the",): NotionCount(0, 1, 1, 7)})
    # Pooled: 7 of 8 right ones have it, 2 of 8 wrong ones.
    assert made.chooser().good == frozenset()


def test_where_all_solutions_agree_a_notion_gains_nothing():
    made = hints(min_seen=1)
    for _ in range(30):
        made.observe({("sum",): NotionCount(3, 0, 7, 0), ("carry",): NotionCount(0, 3, 0, 7)})
    assert made.chooser().good == frozenset()


def test_what_is_seen_least_is_forgotten_first():
    made = hints(min_seen=1, remembered=2)
    made.observe({("a",): NotionCount(2, 0, 2, 2), ("b",): NotionCount(1, 0, 2, 2)})
    made.observe({("c",): NotionCount(3, 0, 3, 3), ("d",): NotionCount(0, 0, 3, 3)})
    assert made.chooser().good == {("a",), ("c",)}
    assert made.metrics()["hints/remembered"] == 2.0


def test_a_state_does_not_depend_on_the_order_of_a_set():
    counts = {(word,): NotionCount(1, k, 4, 4) for k, word in enumerate("cab")}
    states = []
    for order in (counts, dict(reversed(counts.items()))):
        made = hints()
        made.observe(order)
        states.append(json.dumps(made.state_dict()))
    assert states[0] == states[1]


@given(st.lists(COUNTS, max_size=6))
def test_goes_on_from_its_state(counts):
    made = hints(min_seen=2)
    for count in counts:
        made.observe(count)
    for state in list_saved_forms(made.state_dict()):
        other = hints(min_seen=2)
        other.load_state_dict(state)
        assert to_json_data(other.state_dict()) == to_json_data(made.state_dict())
        assert other.chooser() == made.chooser()


@pytest.mark.parametrize(
    ("record", "says"),
    [
        ([["sum"], 3], "missing"),
        (["sum", 3, 0.5], "input_value='sum'"),
        ([[1], 3, 0.5], "input_value=1"),
        ([["sum"], 0, 0.5], "input_value=0"),
        ([["sum"], 2.5, 0.5], "input_value=2.5"),
        ([["sum"], 2, "much"], "input_value='much'"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(record, says):
    made = hints()
    made.observe({("sum",): NotionCount(2, 0, 2, 2)})
    before = made.state_dict()
    with pytest.raises(ValueError, match=rf"records\.1.*\n.*{says}"):
        made.load_state_dict({**before, "records": [*before["records"], record]})
    assert made.state_dict() == before


@pytest.mark.parametrize("name", ["max_notions", "min_seen", "remembered"])
def test_settings_that_cannot_be_are_refused(name):
    with pytest.raises(ValueError, match=f"{name}\n.*greater than or equal to 1"):
        RecordedHints(**{name: 0})
