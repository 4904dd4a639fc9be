"""Episodes by a plan: meta, plan, solve, with no barrier between problems."""

import asyncio

import pytest
from masa_control import (
    HintChooser,
    LengthCutoff,
    Planner,
    PredictiveGate,
    Problem,
    SolutionSettings,
    run_episode,
)

from tests.masa_control.fakes import (
    ProblemScript,
    ScriptedPolicy,
    ScriptedVerifier,
    change_settings,
    make_prediction_text,
    make_settings,
)

GATE = {"gate": PredictiveGate()}
CUTOFF = {"cutoff": LengthCutoff(margin=2.0)}


def problem(name):
    return Problem(id=name, text=f"Problem {name}: 2 + 2?", answer="4")


def play(scripts, planner=None, **changes):
    """Play all scripts side by side; returns the engine and the episodes, by name."""
    engine = ScriptedPolicy(scripts)
    first = next(iter(scripts.values()))
    chosen = change_settings(make_settings(len(first.meta), len(first.solution)), **changes)

    async def all_of_them():
        episodes = [
            run_episode(
                problem(name),
                engine=engine,
                verifier=ScriptedVerifier(),
                settings=chosen,
                planner=planner,
            )
            for name in scripts
        ]
        return await asyncio.gather(*episodes)

    return engine, dict(zip(scripts, asyncio.run(all_of_them()), strict=True))


def planner(**decisions):
    return Planner(step=1, seed=0, **decisions)


def script(pass_rate=4, length=20, solutions=(("4", 10), ("5", 30)), **more):
    return ProblemScript(
        [make_prediction_text(pass_rate, length, "carry")] * 2, list(solutions), **more
    )


def test_solutions_of_one_problem_start_while_predictions_of_another_are_being_made():
    scripts = {"A": script(delays={"meta": 0.2}), "B": script(delays={"meta": 0.01})}
    engine, _ = play(scripts, planner(**GATE))
    assert engine.log.index("B solution starts") < engine.log.index("A meta ends")
    assert engine.log.index("B solution ends") < engine.log.index("A meta ends")
    # Within a problem the predictions come first.
    for name in scripts:
        assert engine.log.index(f"{name} meta ends") < engine.log.index(f"{name} solution starts")


def test_without_a_planner_both_kinds_run_side_by_side():
    engine, episodes = play({"A": script(delays={"meta": 0.05})})
    assert engine.log.index("A solution ends") < engine.log.index("A meta ends")
    assert episodes["A"].plan is None


def test_a_skipped_problem_asks_for_no_solution():
    engine, episodes = play({"A": script(8), "B": script(4)}, planner(**GATE))
    assert ("A", "meta", 50) in engine.asked
    assert [name for name, kind, _ in engine.asked if kind == "solution"] == ["B"]
    skipped = episodes["A"]
    assert (skipped.skipped, skipped.pass_rate) == ("trivial", None)
    assert (skipped.solutions, skipped.solution_prompt_ids) == ((), ())
    assert (
        [m.reward for m in skipped.meta] == [m.total_reward for m in skipped.meta] == [None, None]
    )
    assert skipped.weight == 1.0
    assert episodes["B"].skipped is None


def test_an_audited_problem_is_solved_whole_though_a_cutoff_would_lower_it():
    engine, episodes = play({"A": script(8)}, planner(**GATE, gate_audit=0.9999, **CUTOFF))
    audited = episodes["A"]
    assert ("A", "solution", 100) in engine.asked
    assert audited.plan.gate_audited
    assert audited.skipped is None
    assert audited.weight == pytest.approx(1 / 0.9999)
    assert audited.pass_rate == 0.5
    assert [m.reward is None for m in audited.meta] == [False, False]


def test_the_cutoff_limits_solutions_and_its_audit_does_not():
    engine, episodes = play({"A": script(4, 10)}, planner(**CUTOFF))
    assert ("A", "solution", 20) in engine.asked
    assert [len(s.completion.token_ids) for s in episodes["A"].solutions] == [10, 20]
    engine, episodes = play({"A": script(4, 10)}, planner(**CUTOFF, cutoff_audit=1.0))
    assert ("A", "solution", 100) in engine.asked
    assert [s.cut for s in episodes["A"].solutions] == [None, None]


LONG = (("4", 10), ("4", 90))


def test_a_cut_solution_is_neither_right_nor_wrong():
    _, episodes = play({"A": script(4, 10, LONG)}, planner(**CUTOFF))
    whole, cut = episodes["A"].solutions
    assert (whole.reward, whole.cut, whole.open) == (1.0, None, False)
    assert (cut.reward, cut.cut, cut.open) == (None, "unknown", True)
    assert episodes["A"].pass_rate == 1.0  # of the one that is known
    assert episodes["A"].pass_rate_range == (0.5, 1.0)
    assert episodes["A"].no_variance() is None
    assert episodes["A"].correct_lengths == [10]


def test_a_cut_solution_is_wrong_if_the_setting_says_so():
    _, episodes = play({"A": script(4, 10, LONG)}, planner(**CUTOFF), cut_is="wrong")
    cut = episodes["A"].solutions[1]
    assert (cut.reward, cut.cut, cut.open) == (0.0, "wrong", False)
    assert episodes["A"].pass_rate == 0.5
    assert episodes["A"].no_variance() is False


@pytest.mark.parametrize("cut_is", ["unknown", "wrong"])
def test_a_cut_solution_that_had_stated_the_right_answer_is_right(cut_is):
    made = script(4, 10, LONG, stated_at=15)
    _, episodes = play({"A": made}, planner(**CUTOFF), cut_is=cut_is)
    cut = episodes["A"].solutions[1]
    assert (cut.completion.truncated, cut.cut, cut.reward) == (True, cut_is, 1.0)
    assert episodes["A"].pass_rate == 1.0
    assert episodes["A"].pass_rate_range == (1.0, 1.0)


def test_what_stops_at_the_usual_limit_is_not_cut():
    made = script(4, 10, (("4", 10), ("4", 150)))
    for planned in (None, planner(**GATE), planner(**CUTOFF, cutoff_audit=1.0)):
        _, episodes = play({"A": made}, planned)
        long = episodes["A"].solutions[1]
        assert (long.completion.truncated, long.cut, long.reward) == (True, None, 0.0)


def test_a_group_of_which_all_were_cut_pays_nothing_and_has_no_pass_rate():
    _, episodes = play({"A": script(4, 10, (("4", 90), ("5", 90)))}, planner(**CUTOFF))
    made = episodes["A"]
    assert made.pass_rate is None
    assert made.pass_rate_range == (0.0, 1.0)
    assert made.no_variance() is made.no_variance("trivial") is None
    assert [m.reward for m in made.meta] == [None, None]
    assert made.skipped is None


def test_a_verifier_that_times_out_on_all_leaves_nothing_known():
    _, episodes = play({"A": script(4, 20, (("?", 10), ("!", 10)))}, planner(**GATE))
    made = episodes["A"]
    assert made.pass_rate_range == (None, None)
    assert made.no_variance() is None
    assert not any(s.open for s in made.solutions)
    assert [m.total_reward for m in made.meta] == [None, None]


def test_agreement_is_asked_of_an_end():
    _, episodes = play({"A": script(4, 20, (("4", 10), ("4", 10)))})
    made = episodes["A"]
    assert (made.no_variance(), made.no_variance("trivial")) == (True, True)
    assert made.no_variance("unsolvable") is False
    _, mixed = play({"A": script()})
    assert mixed["A"].no_variance() is False
    # One right and one cut: not all wrong, perhaps all right.
    _, cut = play({"A": script(4, 10, LONG)}, planner(**CUTOFF))
    assert cut["A"].no_variance("unsolvable") is False
    assert cut["A"].no_variance("trivial") is None


def test_predictions_that_none_can_read_skip_nothing_and_cut_nothing():
    made = ProblemScript(["Hm."] * 2, [("4", 10), ("5", 30)])
    engine, episodes = play({"A": made}, planner(**GATE, **CUTOFF))
    assert ("A", "solution", 100) in engine.asked
    assert episodes["A"].plan.gate.mean is None
    assert [m.total_reward for m in episodes["A"].meta] == [0.0, 0.0]


def test_one_rollout_of_each_kind():
    made = ProblemScript([make_prediction_text(8, 20)], [("4", 10)])
    _, episodes = play({"A": made}, planner(**CUTOFF))
    assert episodes["A"].pass_rate == 1.0


def test_a_planner_needs_predictions_to_plan_by():
    with pytest.raises(ValueError, match="meta.rollouts is 0"):
        play({"A": ProblemScript([], [("4", 10)])}, planner(**GATE))


# -- hints -----------------------------------------------------------------------------------------

NAMED = ProblemScript(
    ['{"math_notion": ["carry", "parity"], "pass_rate": 4}'] * 2, [("4", 10), ("5", 30)]
)


def test_a_hint_stands_in_the_solution_prompt_alone():
    engine, episodes = play({"A": NAMED}, planner(hints=HintChooser()))
    meta_prompt, solution_prompt = engine.prompts
    assert solution_prompt == (
        "Solve: Problem A: 2 + 2?\n\n"
        "The problem could be solved using the following math notions: carry, parity"
    )
    assert "carry" not in meta_prompt
    assert episodes["A"].plan.hint == ("carry", "parity")


def test_a_hint_is_shortened_until_it_fits_and_the_plan_says_so():
    whole = len(play({"A": NAMED}, planner(hints=HintChooser()))[0].prompts[1])
    for room, hint in (
        (whole, ("carry", "parity")),
        (whole - 1, ("carry",)),
        (whole - len(", parity"), ("carry",)),
        (whole - len(", parity") - 1, ()),
        (5, ()),  # the bare prompt is put, however long
    ):
        engine, episodes = play({"A": NAMED}, planner(hints=HintChooser()), prompt_max_tokens=room)
        assert episodes["A"].plan.hint == hint
        assert engine.prompts[1].endswith(", ".join(hint) if hint else "Problem A: 2 + 2?")


def test_braces_in_a_hint_and_in_a_problem_stay():
    made = ProblemScript(['{"math_notion": ["{problem}"], "pass_rate": 4}'], [("4", 10)])
    engine, _ = play({"A": made}, planner(hints=HintChooser()), hint_template="{notions}|{problem}")
    assert engine.prompts[1] == "Solve: {problem}|Problem A: 2 + 2?"


@pytest.mark.parametrize("template", ["{problem}", "Use {notions}."])
def test_a_hint_template_holds_both(template):
    with pytest.raises(ValueError, match="hint_template must hold .*got '"):
        SolutionSettings(hint_template=template)


def test_notions_are_counted_where_a_record_is_kept():
    made = ProblemScript(NAMED.meta, [("by carry 4", 10), ("carry 5", 30)])
    _, episodes = play({"A": made}, count_notions=True)
    counts = episodes["A"].notion_counts
    assert {phrase: tuple(count) for phrase, count in counts.items()} == {
        ("carry",): (1, 1, 1, 1),
        ("parity",): (0, 0, 1, 1),
    }
    assert play({"A": made})[1]["A"].notion_counts == {}
    failed = ProblemScript(NAMED.meta, [("?", 10), ("?", 30)])
    assert play({"A": failed}, count_notions=True)[1]["A"].notion_counts == {}
