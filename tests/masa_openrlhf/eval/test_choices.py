from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from masa_openrlhf.eval.benchmarks.choices import letter_choices, shuffle_choices


@given(
    st.lists(st.text(min_size=1), min_size=2, max_size=10, unique=True), st.integers(), st.data()
)
def test_the_gold_moves_along(options, seed, data):
    right = data.draw(st.integers(0, len(options) - 1))
    found = shuffle_choices(options, right, seed=seed, key="q")
    assert sorted(found.options) == sorted(options)
    assert found.options["ABCDEFGHIJ".index(found.letter)] == options[right]
    assert [options[place] for place in found.order] == list(found.options)


def test_an_order_is_a_matter_of_the_seed_and_the_question_alone():
    one = shuffle_choices("wxyz", 0, seed=1, key="a")
    assert one == shuffle_choices("wxyz", 0, seed=1, key="a")
    assert len({shuffle_choices("wxyz", 0, seed=s, key="a").order for s in range(50)}) > 10
    assert len({shuffle_choices("wxyz", 0, seed=1, key=str(k)).order for k in range(50)}) > 10


@pytest.mark.parametrize("choices", [2, 3, 4, 5, 6, 7])
@pytest.mark.parametrize("place", [0, -1])
def test_every_letter_is_right_equally_often(choices, place):
    """3,000 questions whose gold is always the first, or the last: 5 standard deviations."""
    right = range(choices)[place]
    letters = Counter(
        shuffle_choices(range(choices), right, seed=0, key=str(number)).letter
        for number in range(3000)
    )
    expected = 3000 / choices
    for letter in "ABCDEFG"[:choices]:
        assert abs(letters[letter] - expected) < 5 * (expected * (1 - 1 / choices)) ** 0.5


def test_lettered():
    assert letter_choices(["x", "y"]) == "A) x\nB) y"


def test_what_is_no_question_is_refused():
    with pytest.raises(ValueError, match="2 to 26 choices, got 1"):
        shuffle_choices(["x"], 0, seed=0, key="")
    with pytest.raises(ValueError, match="one of 0 to 1, got 2"):
        shuffle_choices(["x", "y"], 2, seed=0, key="")
