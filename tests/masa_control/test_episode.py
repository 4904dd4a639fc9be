import asyncio
import math

import pytest
from masa_control import Problem, run_episode
from masa_rewards import NotionRules

from tests.masa_control.fakes import (
    PROBLEM,
    ScriptedEngine,
    ScriptedVerifier,
    change_settings,
    make_completion,
    make_prediction_text,
    make_settings,
)


def play(engine, meta=2, solution=4, problem=PROBLEM):
    return asyncio.run(
        run_episode(
            problem,
            engine=engine,
            verifier=ScriptedVerifier(),
            settings=make_settings(meta, solution),
        )
    )


def test_rewards_of_an_episode_worked_out_by_hand():
    # 3 of 4 right, with 10, 20 and 30 tokens; "carry" in two right ones and no wrong one,
    # "guess" in the wrong one alone.
    engine = ScriptedEngine(
        meta=[
            make_completion(make_prediction_text(6, 20, "carry"), tokens=5),
            make_completion(make_prediction_text(2, 31, "carry", "guess"), tokens=5),
        ],
        solution=[
            make_completion("carry so 4", tokens=10),
            make_completion("carry again 4", tokens=20),
            make_completion("plainly 4", tokens=30),
            make_completion("guess 5", tokens=40),
        ],
    )
    episode = play(engine)
    assert episode.pass_rate == 0.75
    assert [s.reward for s in episode.solutions] == [1.0, 1.0, 1.0, 0.0]
    exact, off = (m.reward for m in episode.meta)
    assert (exact.length, exact.difficulty, exact.notion, exact.total) == (1.0, 1.0, 1.0, 1.0)
    # 0.01 ** |0.75 - 0.25| = 0.1; 31 tokens is above the longest right one; one notion of two.
    assert off.length == 0.0
    assert math.isclose(off.difficulty, 0.1)
    assert off.notion == 0.5
    assert math.isclose(off.total, 0.2)


def test_prompts_are_encoded_as_the_settings_word_them():
    engine = ScriptedEngine(meta=[make_completion("")] * 2, solution=[make_completion("4")] * 4)
    episode = play(engine)
    assert "".join(map(chr, episode.solution_prompt_ids)) == "Solve: What is 2 + 2?"
    assert PROBLEM.text in "".join(map(chr, episode.meta_prompt_ids))


def test_a_problem_with_braces_is_put_as_it_stands():
    problem = Problem(id="b", text=r"Let \{x\} be {problem} of {0}.", answer="4")
    engine = ScriptedEngine(meta=[make_completion("")] * 2, solution=[make_completion("4")] * 4)
    episode = play(engine, problem=problem)
    assert "".join(map(chr, episode.solution_prompt_ids)) == f"Solve: {problem.text}"


def test_meta_and_solution_rollouts_run_side_by_side():
    engine = ScriptedEngine(
        meta=[make_completion("")] * 2,
        solution=[make_completion("4")] * 4,
        delays={"meta": 0.05, "solution": 0.01},
    )
    play(engine)
    assert engine.log == ["meta starts", "solution starts", "solution ends", "meta ends"]


def test_no_episode_waits_for_another():
    slow = ScriptedEngine(
        meta=[make_completion("")] * 2,
        solution=[make_completion("4")] * 4,
        delays={"meta": 0.2, "solution": 0.2},
        name="slow ",
    )
    quick = ScriptedEngine(
        meta=[make_completion("")] * 2,
        solution=[make_completion("4")] * 4,
        log=slow.log,
        name="quick ",
    )

    async def both():
        await asyncio.gather(
            *(
                run_episode(
                    PROBLEM, engine=e, verifier=ScriptedVerifier(), settings=make_settings(2, 4)
                )
                for e in (slow, quick)
            )
        )

    asyncio.run(both())
    assert slow.log.index("quick meta ends") < slow.log.index("slow meta ends")


def test_a_failed_verifier_is_not_a_wrong_answer():
    engine = ScriptedEngine(
        meta=[
            make_completion(make_prediction_text(4, 3)),
            make_completion(make_prediction_text(8, 3)),
        ],
        solution=[make_completion(t) for t in ("it is 4", "it is 5", "it is ?", "it is !")],
    )
    episode = play(engine)
    assert [s.reward for s in episode.solutions] == [1.0, 0.0, None, None]
    assert episode.pass_rate == 0.5  # of the two that were judged
    assert episode.meta[0].reward.difficulty == 1.0


def test_nothing_judged_means_no_pass_rate_and_no_meta_reward():
    engine = ScriptedEngine(
        meta=[make_completion(make_prediction_text(4, 3))] * 2,
        solution=[make_completion("it is ?")] * 4,
    )
    episode = play(engine)
    assert episode.pass_rate is None
    assert [m.reward for m in episode.meta] == [None, None]


def test_an_unreadable_prediction_is_worth_nothing_and_says_why():
    engine = ScriptedEngine(
        meta=[
            make_completion("I would rather not say"),
            make_completion(make_prediction_text(8, 3, "sum")),
        ],
        solution=[make_completion("sum 4")] * 4,
    )
    episode = play(engine)
    assert episode.meta[0].reward.total == 0.0
    assert set(episode.meta[0].prediction.missing) == {"pass_rate", "length", "notions"}
    assert episode.meta[1].reward.total == 1.0


def test_the_baseline_asks_for_no_prediction():
    engine = ScriptedEngine(solution=[make_completion("4")] * 4)
    episode = play(engine, meta=0)
    assert episode.meta == ()
    assert episode.meta_prompt_ids == ()
    assert engine.log == ["solution starts", "solution ends"]


@pytest.mark.parametrize(("dies", "other"), [("meta", "solution"), ("solution", "meta")])
def test_when_one_half_dies_the_other_is_cancelled(dies, other):
    engine = ScriptedEngine(
        meta=[make_completion("")] * 2,
        solution=[make_completion("4")] * 4,
        fail=dies,
        delays={other: 5.0},
    )
    with pytest.raises(RuntimeError, match=f"died in {dies}"):
        play(engine)
    assert f"{other} cancelled" in engine.log


def test_groups_of_different_sizes():
    engine = ScriptedEngine(
        meta=[make_completion(make_prediction_text(8, 3))] * 3, solution=[make_completion("4")] * 7
    )
    episode = play(engine, meta=3, solution=7)
    assert (len(episode.meta), len(episode.solutions)) == (3, 7)


def test_the_notion_rules_of_the_settings_are_used():
    script = {
        "meta": [make_completion(make_prediction_text(4, 10, "carry"))],
        "solution": [make_completion("carry 4")] * 3 + [make_completion("carry 5")],
    }
    (paid,) = play(ScriptedEngine(**script), meta=1).meta
    by_rate = change_settings(make_settings(1, 4), notions=NotionRules(counting="rate"))
    episode = asyncio.run(
        run_episode(
            PROBLEM, engine=ScriptedEngine(**script), verifier=ScriptedVerifier(), settings=by_rate
        )
    )
    assert paid.reward.notion == 1.0
    assert episode.meta[0].reward.notion == 0.0
