import math
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from masa_control import Expert, ExpertBuffer, ExpertSettings
from masa_control.decisions.experts import make_expert
from masa_rewards.difficulty import DIFFICULTY_BASE

from tests.masa_control.factories import (
    PROMPT,
    list_saved_forms,
    make_episode,
    make_meta_rollout,
    make_plan,
    make_solution,
    to_json_data,
)


def made(solutions, predictions, made_plan=None, name="7", threshold=0.2, step=1):
    return make_expert(
        make_episode(solutions, predictions, made_plan, name),
        PROMPT,
        threshold=threshold,
        step=step,
    )


def right(*tokens):
    return [make_solution("r", t) for t in tokens]


def test_the_best_one_gets_the_true_numbers_in_its_own_text():
    solutions = [*right(10, 40, 30), make_solution("w", 5)]
    found = made(
        solutions,
        [
            make_meta_rollout(2, 500, total_reward=0.3),
            make_meta_rollout(3, 600, ["carry"], total_reward=0.9),
        ],
    )
    assert found == Expert(
        problem_id="7",
        prompt_ids=(1, 2, 3),
        text='<meta></meta>{"math_notion": ["carry"], "pass_rate": 6, "solution_length": 30}',
        numbers=((53, 54), (75, 77)),
        unknown=(),
        reward=0.9,
        weight=1.0,
        step=1,
    )
    assert [found.text[a:b] for a, b in found.numbers] == ["6", "30"]
    read = PROMPT.parse(found.text)
    assert (read.pass_rate, read.length) == (0.75, 30)


def test_the_length_is_one_that_a_solution_had():
    # The lower of the two in the middle: 20, not 25.
    assert PROMPT.parse(made(right(10, 20, 30, 40), [make_meta_rollout(0)]).text).length == 20


def test_a_length_that_nobody_knows_is_left_and_not_cloned():
    found = made("ww", [make_meta_rollout(5, 77)])
    assert [found.text[a:b] for a, b in found.numbers] == ["0"]
    assert [found.text[a:b] for a, b in found.unknown] == ["77"]


def test_the_first_of_equals_and_only_what_was_read_whole_and_ended():
    predictions = [
        make_meta_rollout(None, total_reward=0.9),
        make_meta_rollout(3, total_reward=0.8, truncated=True),
        make_meta_rollout(4, notions=[], total_reward=0.7),  # no notion
        make_meta_rollout(5, notions=["first"], total_reward=0.4),
        make_meta_rollout(5, notions=["second"], total_reward=0.4),
        make_meta_rollout(5, total_reward=None),
    ]
    assert '"first"' in made("rw", predictions).text


@pytest.mark.parametrize(
    ("solutions", "predictions", "refusal"),
    [
        ("", [make_meta_rollout(8, total_reward=None)], "unrewarded"),
        ("", [], "unrewarded"),
        ("????", [make_meta_rollout(8, total_reward=0.5)], "unknown_pass_rate"),
        ("rrcc", [make_meta_rollout(8)], "unknown_pass_rate"),
        ("cccc", [make_meta_rollout(8)], "unknown_pass_rate"),
        ("rr", [make_meta_rollout(None), make_meta_rollout(8, truncated=True)], "unreadable"),
        ("rr", [make_meta_rollout(8, total_reward=0.19)], "below_threshold"),
    ],
)
def test_why_there_is_none(solutions, predictions, refusal):
    assert made(solutions, predictions) == refusal


def test_who_says_half_of_what_nobody_solves_is_shown_a_zero():
    """At 0.2 nobody would be: length and notions cannot be earned there."""
    half = [make_meta_rollout(4, total_reward=DIFFICULTY_BASE**0.5 / 3)]
    found = made("wwww", half, threshold=ExpertSettings().threshold)
    assert PROMPT.parse(found.text).pass_rate == 0.0
    assert made("wwww", half, threshold=0.2) == "below_threshold"


def test_the_threshold_takes_in_its_end():
    assert isinstance(made("rr", [make_meta_rollout(8, total_reward=0.2)]), Expert)


def test_cut_ones_that_do_not_change_the_stated_number_do_not_matter():
    # 20 wrong and one cut: 0 to 1 / 21, 0 of 8 either way.
    found = made("w" * 20 + "c", [make_meta_rollout(8)])
    assert PROMPT.parse(found.text).pass_rate == 0.0


def test_an_audited_problem_stands_for_others():
    found = made("ww", [make_meta_rollout(0)], make_plan(True, audited=True, epsilon=0.1))
    assert found.weight == 10.0


# -- the buffer ------------------------------------------------------------------------------------


def buffer(**settings):
    return ExpertBuffer(ExpertSettings(**settings))


def fill(kept, names, step=1, made_plan=None):
    kept.observe(
        [make_episode("rr", [make_meta_rollout(8)], made_plan, name) for name in names],
        PROMPT,
        step,
    )


def names(kept, step=1):
    return [e.problem_id for e in kept.draw(1000, seed=0, step=step)]


def test_one_a_problem_the_new_one_counts():
    kept = buffer()
    fill(kept, "ab", step=1)
    fill(kept, "a", step=2)
    assert names(kept) == ["b", "a"]
    assert [e.step for e in kept.draw(9, seed=0, step=1)] == [1, 2]
    assert kept.metrics() == {"experts/stored": 2.0, "experts/accepted": 3.0}


def test_the_oldest_go_first():
    kept = buffer(capacity=2)
    fill(kept, "abc")
    assert names(kept) == ["b", "c"]
    fill(kept, "b", step=2)
    fill(kept, "d", step=3)
    assert names(kept) == ["b", "d"]


def test_what_is_too_old_is_dropped_even_when_nothing_comes():
    kept = buffer(max_age=2)
    fill(kept, "a", step=1)
    kept.observe([], PROMPT, 2)
    assert len(kept) == 1
    kept.observe([], PROMPT, 3)
    assert len(kept) == 0


def test_refusals_are_counted_by_reason():
    kept = buffer(threshold=0.6)
    kept.observe(
        [
            make_episode("rr", [make_meta_rollout(8)]),
            make_episode("", [make_meta_rollout(8, total_reward=None)]),
        ],
        PROMPT,
        1,
    )
    assert kept.metrics() == {
        "experts/stored": 0.0,
        "experts/below_threshold": 1.0,
        "experts/unrewarded": 1.0,
    }


def test_draws_are_without_replacement_and_depend_on_seed_and_step():
    kept = buffer()
    fill(kept, [f"p{k}" for k in range(50)])

    def drawn(seed, step):
        return [e.problem_id for e in kept.draw(10, seed=seed, step=step)]

    assert len(set(drawn(0, 1))) == 10
    assert drawn(0, 1) == drawn(0, 1)
    assert drawn(0, 1) != drawn(0, 2)
    assert drawn(0, 1) != drawn(1, 1)
    assert kept.draw(0, seed=0, step=1) == []
    assert buffer().draw(5, seed=0, step=1) == []


def test_one_that_stands_for_four_is_drawn_four_times_as_often():
    # One of weight 4 among four of weight 1: half of the single draws. 2,000 of them.
    kept = buffer()
    fill(kept, "abcd")
    fill(kept, "e", made_plan=make_plan(True, audited=True, epsilon=0.25, mean=1.0))
    heavy = sum(kept.draw(1, seed=0, step=step)[0].problem_id == "e" for step in range(2000))
    assert abs(heavy - 1000) < 4 * math.sqrt(2000 * 0.25)


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(1, 30)), max_size=12))
def test_goes_on_from_its_state(rows):
    kept = buffer(max_age=100)
    for name, step in rows:
        fill(kept, [name], step)
    for state in list_saved_forms(kept.state_dict()):
        other = buffer(max_age=100)
        other.load_state_dict(state)
        assert to_json_data(other.state_dict()) == to_json_data(kept.state_dict())
        for count in (1, 3, 100):
            assert other.draw(count, seed=3, step=7) == kept.draw(count, seed=3, step=7)
        assert other.metrics() == kept.metrics()


EXPERT = to_json_data(asdict(made("rr", [make_meta_rollout(8)])))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"problem_id": 7}, "problem_id\n"),
        ({"text": None}, "text\n"),
        ({"prompt_ids": ["a"]}, "prompt_ids.0\n"),
        ({"numbers": [[0, 9999]]}, r"\(0, 9999\)"),
        ({"unknown": [[5, 4]]}, r"\(5, 4\)"),
        ({"reward": 1.5}, "reward\n.*input_value=1.5"),
        ({"weight": 0.0}, "weight\n.*input_value=0.0"),
        ({"step": -1}, "step\n.*input_value=-1"),
        ({"more": 1}, "more\n"),
    ],
)
def test_a_state_that_does_not_fit_is_refused_and_changes_nothing(change, says):
    kept = buffer()
    fill(kept, "ab")
    before = kept.state_dict()
    with pytest.raises(ValueError, match=says):
        kept.load_state_dict({**before, "experts": [EXPERT, {**EXPERT, **change}]})
    assert kept.state_dict() == before


def test_counts_that_do_not_fit_are_refused():
    state = buffer().state_dict()
    with pytest.raises(ValueError, match="counts.accepted\n.*input_value=-1"):
        buffer().load_state_dict({**state, "counts": {"accepted": -1}})


def test_the_counts_of_0_1_0_are_read():
    kept = buffer()
    kept.load_state_dict({**kept.state_dict(), "counts": {"taken": 3, "unreadable": 1}})
    assert kept.metrics() == {
        "experts/stored": 0.0,
        "experts/accepted": 3.0,
        "experts/unreadable": 1.0,
    }


@pytest.mark.parametrize(
    "settings", [{"threshold": -0.1}, {"threshold": 1.1}, {"capacity": 0}, {"max_age": 0}]
)
def test_settings_that_cannot_be_are_refused(settings):
    ((name, value),) = settings.items()
    with pytest.raises(ValueError, match=f"{name}\n.*input_value={value!r}"):
        ExpertSettings(**settings)


def test_another_draw_of_a_step_draws_anew():
    kept = buffer()
    fill(kept, "abcdefghijklmnop")

    def drawn(number):
        return [e.problem_id for e in kept.draw(8, seed=0, step=1, number=number)]

    assert drawn(1) == drawn(1)
    assert len({tuple(drawn(number)) for number in range(4)}) > 1
