import asyncio
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from masa_control import (
    AlignedStart,
    AuditedGateSettings,
    CalibratedCutoffSettings,
    Controller,
    ControlSettings,
    CutoffOff,
    DistanceGate,
    ExpertSettings,
    FixedCutoffSettings,
    FixedStart,
    GateOff,
    GateOutcome,
    HintsOff,
    LengthCutoff,
    LengthOutcome,
    RecordedHints,
    StaticGateSettings,
    run_episode,
)
from masa_control import Problem as MasaProblem
from masa_control.decisions.outcomes import derive_gate_outcome, derive_length_outcome

from tests.masa_control.factories import (
    PROMPT,
    list_saved_forms,
    make_episode,
    make_meta_rollout,
    make_plan,
    make_solution,
    to_json_data,
)
from tests.masa_control.fakes import (
    ScriptedEngine,
    ScriptedVerifier,
    change_settings,
    make_completion,
    make_prediction_text,
)
from tests.masa_control.fakes import make_settings as episode_settings

EVERYTHING = ControlSettings(
    gate=AuditedGateSettings(precision=0.6, window=64, audit=0.3),
    cutoff=CalibratedCutoffSettings(cut_share=0.2, min_problems=4, audit=0.3),
    experts=ExpertSettings(batch=3),
    hints=RecordedHints(min_seen=2),
    schedule=AlignedStart(start=3, precision=0.3, recall=0.1, steps=2),
)
PAPER = ControlSettings(
    gate=StaticGateSettings(audit=0),
    cutoff=FixedCutoffSettings(audit=0),
    schedule=FixedStart(start=1),
)


# -- what an episode says --------------------------------------------------------------------------


def decided(skip=False, **more):
    return make_plan(skip, **more).gate


@pytest.mark.parametrize(
    ("solutions", "made_plan", "decision", "outcome"),
    [
        ("ww", make_plan(), decided(distance=0.1), GateOutcome("unsolvable", 0.1, True, 1.0)),
        ("rr", make_plan(), decided(), GateOutcome("unsolvable", 0.0, False, 1.0)),
        ("rr", make_plan(), decided(mean=0.9), GateOutcome("trivial", 0.0, True, 1.0)),
        ("rw", None, decided(mean=0.9), GateOutcome("trivial", 0.0, False, 1.0)),
        (
            "ww",
            make_plan(True, audited=True),
            decided(True),
            GateOutcome("unsolvable", 0.0, True, 4.0),
        ),
        ("", make_plan(True), decided(True), None),  # skipped
        ("??", make_plan(), decided(), None),
        ("ww", make_plan(), None, None),  # no gate
        ("ww", make_plan(), decided(mean=None), None),  # too few could be read
        # At the unsolvable end what was cut is taken for wrong, audits of the cutoff or none.
        ("wc", make_plan(allowed=50), decided(), GateOutcome("unsolvable", 0.0, True, 1.0)),
        ("rwc", make_plan(allowed=50), decided(), GateOutcome("unsolvable", 0.0, False, 1.0)),
        (
            "wc",
            make_plan(allowed=50, cutoff_epsilon=0.2),
            decided(),
            GateOutcome("unsolvable", 0.0, True, 1.0),
        ),
        ("cc", make_plan(allowed=50), decided(), None),  # nothing is known at all
        # At the trivial end, without audits of the cutoff, what is known.
        ("rc", make_plan(allowed=50), decided(mean=0.9), None),
        ("rwc", make_plan(allowed=50), decided(mean=0.9), GateOutcome("trivial", 0.0, False, 1.0)),
    ],
)
def test_what_an_episode_says_of_the_gate(solutions, made_plan, decision, outcome):
    assert (
        derive_gate_outcome(make_episode(solutions, [make_meta_rollout(0)], made_plan), decision)
        == outcome
    )


def test_where_the_cutoff_is_audited_only_what_could_run_on_tells_what_is_trivial():
    near = decided(mean=0.9)
    lowered = make_plan(allowed=50, cutoff_epsilon=0.2)
    assert derive_gate_outcome(make_episode("rw", [make_meta_rollout(8)], lowered), near) is None
    spared = make_plan(allowed=50, cutoff_epsilon=0.2, spared=True)
    found = derive_gate_outcome(make_episode("rr", [make_meta_rollout(8)], spared), near)
    assert found == GateOutcome("trivial", 0.0, True, 5.0)
    whole = make_plan(allowed=100, cutoff_epsilon=0.2)
    assert (
        derive_gate_outcome(make_episode("rw", [make_meta_rollout(8)], whole), near).weight == 1.0
    )
    # An audit of the gate has no cutoff.
    audited = make_plan(True, audited=True, cutoff_epsilon=0.2)
    assert (
        derive_gate_outcome(
            make_episode("ww", [make_meta_rollout(0)], audited), decided(True)
        ).weight
        == 4.0
    )


def test_what_an_episode_says_of_the_cutoff():
    solutions = [make_solution("r", 10), make_solution("r", 30), make_solution("w", 90)]
    predictions = [
        make_meta_rollout(4, 10),
        make_meta_rollout(4, 20),
        make_meta_rollout(4, 500),
        make_meta_rollout(None),
    ]

    def outcome(made_plan, decision=None, made=solutions):
        return derive_length_outcome(make_episode(made, predictions, made_plan), decision)

    assert outcome(None) == LengthOutcome((0.5, 1.5), 1.0)  # 10 / 20 and 30 / 20
    assert outcome(make_plan()) == LengthOutcome((0.5, 1.5), 1.0)
    assert outcome(make_plan(allowed=100)) == LengthOutcome((0.5, 1.5), 1.0)
    assert outcome(make_plan(allowed=50)) is None  # lowered: what was cut is not seen
    spared = make_plan(allowed=50, spared=True, cutoff_epsilon=0.2)
    assert outcome(spared) == LengthOutcome((0.5, 1.5), 5.0)
    # Problems that the gate flags are none that the cutoff is asked about.
    assert outcome(make_plan(True, audited=True), decided(True)) is None
    assert outcome(None, decided(True)) is None
    assert outcome(None, None, [make_solution("w", 5)]) is None  # none correct
    assert (
        derive_length_outcome(make_episode("rr", [make_meta_rollout(None)])) is None
    )  # no length predicted
    assert derive_length_outcome(make_episode("rr", [])) is None


# -- rounds ----------------------------------------------------------------------------------------


def test_the_defaults_are_the_papers_with_audits():
    rules = ControlSettings()
    assert (rules.gate.rule, rules.gate.max_std, rules.gate.tolerance) == ("static", 0.1, 0.0)
    assert (rules.cutoff.rule, rules.cutoff.margin) == ("fixed", 2.0)
    assert (rules.gate.audit, rules.cutoff.audit) == (0.05, 0.05)
    assert (rules.schedule, rules.hints) == (FixedStart(start=80), HintsOff())
    assert rules.experts.threshold == 0.0  # the authors' code: 0.2; see test_experts


def test_alternatives_are_told_apart_by_their_rule():
    rules = ControlSettings.model_validate({"gate": {"rule": "audited", "precision": 0.8}})
    assert rules.gate == AuditedGateSettings(precision=0.8)
    assert ControlSettings.model_validate({"gate": {"max_std": 0.2}}).gate == StaticGateSettings(
        max_std=0.2
    )
    with pytest.raises(ValueError, match="gate.static.precision"):
        ControlSettings.model_validate({"gate": {"rule": "static", "precision": 0.8}})
    with pytest.raises(ValueError, match="'dynamic' found using"):
        ControlSettings.model_validate({"gate": {"rule": "dynamic"}})


def test_until_the_start_nothing_is_planned():
    controller = Controller(PAPER, PROMPT)
    assert controller.planner(1) is None
    planner = controller.planner(2)
    assert (planner.gate, planner.cutoff) == (PAPER.gate, PAPER.cutoff)
    assert (planner.gate_audit, planner.cutoff_audit, planner.hints) == (0.0, 0.0, None)
    assert (planner.step, planner.seed) == (2, 0)


def test_without_rules_nothing_is_decided():
    none = ControlSettings(
        gate=GateOff(),
        cutoff=CutoffOff(),
        experts=ExpertSettings(batch=0),
        schedule=FixedStart(start=0),
    )
    controller = Controller(none, PROMPT)
    controller.observe([make_episode("rw", [make_meta_rollout(4)])], 1)
    planner = controller.planner(2)
    assert (planner.gate, planner.cutoff, planner.hints) == (None, None, None)
    assert (planner.gate_audit, planner.cutoff_audit) == (0.0, 0.0)
    assert controller.clones(2) == controller.clone_passes(2) == []
    assert controller.metrics() == {}


def test_before_the_start_the_audited_gate_learns_from_all():
    rules = ControlSettings(gate=AuditedGateSettings(audit=0.1), schedule=FixedStart(start=5))
    controller = Controller(rules, PROMPT)
    controller.observe(
        [
            make_episode("ww", [make_meta_rollout(0), make_meta_rollout(1)], name=f"p{k}")
            for k in range(20)
        ],
        1,
    )
    distance = (1 / 8) / 2**0.5  # sqrt((0² + (1/8)²) / 2)
    assert controller.planner(6).gate == DistanceGate(None, pytest.approx(distance))


def test_how_many_must_be_read_holds_before_the_start_too():
    for share, limit in ((0.5, None), (0.25, 0.0)):
        gate = AuditedGateSettings(min_readable=share, audit=0.1)
        rules = ControlSettings(gate=gate, schedule=FixedStart(start=5))
        controller = Controller(rules, PROMPT)
        predictions = [
            make_meta_rollout(0),
            make_meta_rollout(None),
            make_meta_rollout(None),
            make_meta_rollout(None),
        ]
        controller.observe([make_episode("ww", predictions) for _ in range(20)], 1)
        assert controller.planner(6).gate.unsolvable == limit


def test_rules_that_follow_audits_need_some():
    with pytest.raises(ValueError, match="gate.audit is 0"):
        AuditedGateSettings(audit=0)
    with pytest.raises(ValueError, match="cutoff.audit is 0"):
        CalibratedCutoffSettings(audit=0)


@pytest.mark.parametrize(("share", "trivial"), [(0.0, 0.2), (0.2, 0.0)])
def test_both_ends_are_audited_or_neither(share, trivial):
    with pytest.raises(ValueError, match=f"audit is {share} and gate.audit_trivial {trivial}"):
        StaticGateSettings(audit=share, audit_trivial=trivial)
    gate = StaticGateSettings(audit=0.1, audit_trivial=0.2)
    both = ControlSettings(gate=gate, schedule=FixedStart(start=1))
    planner = Controller(both, PROMPT).planner(2)
    assert (planner.gate_audit, planner.gate_audit_trivial) == (0.1, 0.2)


def test_alignment_starts_it_early():
    start = AlignedStart(start=50, precision=0.8, recall=0.3, steps=1)
    controller = Controller(ControlSettings(schedule=start), PROMPT)
    controller.observe([make_episode("rw", [make_meta_rollout(4)])] * 30, 1)
    assert controller.planner(2) is None
    controller.observe([make_episode("ww", [make_meta_rollout(0)])] * 30, 2)
    assert controller.planner(3) is not None
    assert controller.metrics()["schedule/aligned_at"] == 2.0


def test_the_calibrated_margin_goes_into_the_plan():
    calibrated = CalibratedCutoffSettings(cut_share=0.25, min_problems=4, audit=0.1)
    rules = ControlSettings(cutoff=calibrated, schedule=FixedStart(start=0))
    controller = Controller(rules, PROMPT)
    assert controller.planner(1).cutoff == LengthCutoff(margin=None)
    made = [
        make_episode([make_solution("r", t)], [make_meta_rollout(4, 10)]) for t in (10, 20, 30, 40)
    ]
    controller.observe(made, 1)
    assert controller.planner(2).cutoff == LengthCutoff(margin=4.0)  # 1 / 5 <= 0.25: the largest
    assert controller.metrics()["cutoff/margin"] == 4.0


def test_cloning_passes_are_over_when_predictions_decide():
    rules = ControlSettings(experts=ExpertSettings(batch=2, passes=3), schedule=FixedStart(start=4))
    controller = Controller(rules, PROMPT, seed=4)
    assert controller.clone_passes(1) == []  # no expert is there yet
    controller.observe(
        [make_episode("rr", [make_meta_rollout(8)], name=f"p{k}") for k in range(9)], 1
    )
    passes = controller.clone_passes(4)
    assert [len(experts) for experts in passes] == [2, 2, 2]
    assert passes == [controller.clones(4, number) for number in (1, 2, 3)]
    assert controller.clones(4) not in passes  # those beside the rollouts are a draw of their own
    assert controller.clone_passes(5) == []


def test_clones_are_drawn_from_the_experts():
    controller = Controller(ControlSettings(experts=ExpertSettings(batch=2)), PROMPT, seed=4)
    controller.observe(
        [make_episode("rr", [make_meta_rollout(8)], name=f"p{k}") for k in range(9)], 1
    )
    assert len(controller.clones(1)) == 2
    assert controller.clones(1) != controller.clones(2)
    assert controller.metrics()["experts/stored"] == 9.0


def test_an_empty_batch_changes_no_decision():
    controller = Controller(EVERYTHING, PROMPT)
    before = controller.planner(9)
    controller.observe([], 1)
    assert controller.planner(9) == before


def test_a_batch_that_is_skipped_whole_teaches_nothing_and_clones_nothing():
    controller = Controller(EVERYTHING, PROMPT)
    skipped = [
        make_episode("", [make_meta_rollout(0, total_reward=None)], make_plan(True), f"p{k}")
        for k in range(8)
    ]
    controller.observe(skipped, 9)
    assert controller.planner(10).gate == DistanceGate(None, None)
    assert controller.metrics()["experts/unrewarded"] == 8.0
    assert controller.clones(10) == []


# -- state -----------------------------------------------------------------------------------------


def play_step(controller, step, size=12):
    """A step of real episodes against a scripted engine; problems are hard, easy or in between."""
    rng = random.Random(f"step {step}")
    planner = controller.planner(step)
    chosen = change_settings(episode_settings(3, 4), count_notions=True)

    async def one(k):
        level = rng.choice([0, 4, 8])
        right = rng.choice([*[level // 2] * 9, 2])
        engine = ScriptedEngine(
            meta=[
                make_completion(make_prediction_text(level, rng.choice([8, 20]), "carry"))
                for _ in range(3)
            ],
            solution=[
                make_completion("carry 4", rng.randrange(5, 60))
                if n < right
                else make_completion("so 5", 40)
                for n in range(4)
            ],
        )
        problem = MasaProblem(id=f"p{step}.{k}", text="What is 2 + 2?", answer="4")
        return await run_episode(
            problem, engine=engine, verifier=ScriptedVerifier(), settings=chosen, planner=planner
        )

    async def all_of_them():
        return [await one(k) for k in range(size)]

    controller.observe(asyncio.run(all_of_them()), step)


def decisions(controller, step):
    """All that the controller decides of a step, over many problems and predictions."""
    planner = controller.planner(step)
    if planner is None:
        return None, controller.clones(step)
    predictions = [
        [m.prediction for m in (make_meta_rollout(a), make_meta_rollout(b))]
        for a in (0, 1, 4, 8)
        for b in (0, 8)
    ]
    plans = [planner.plan(f"p{k}", p, 100) for k in range(6) for p in predictions]
    return plans, controller.clones(step)


@pytest.mark.parametrize("stop", [0, 1, 2, 4, 7])
@pytest.mark.parametrize("rules", [EVERYTHING, PAPER], ids=["everything", "paper"])
def test_a_resumed_controller_decides_what_the_uninterrupted_one_does(rules, stop):
    whole = Controller(rules, PROMPT, seed=5)
    for step in range(1, stop + 1):
        play_step(whole, step)
    for state in list_saved_forms(whole.state_dict()):
        resumed = Controller(rules, PROMPT, seed=5)
        resumed.load_state_dict(state)
        assert to_json_data(resumed.state_dict()) == to_json_data(whole.state_dict())
        assert decisions(resumed, stop + 1) == decisions(whole, stop + 1)
        assert resumed.metrics() == whole.metrics()
    # And on from there.
    for step in range(stop + 1, stop + 4):
        play_step(whole, step)
        play_step(resumed, step)
        assert decisions(resumed, step + 1) == decisions(whole, step + 1)
    assert to_json_data(resumed.state_dict()) == to_json_data(whole.state_dict())


def test_the_test_above_has_something_to_tell():
    controller = Controller(EVERYTHING, PROMPT, seed=5)
    for step in range(1, 8):
        play_step(controller, step)
    plans, clones = decisions(controller, 8)
    assert len(clones) == 3
    assert any(p.gate_audited for p in plans)
    assert any(p.flagged and not p.solve for p in plans)
    assert any(p.cutoff and p.cutoff.lowers for p in plans)
    assert any(p.cutoff_audited for p in plans)


def test_another_seed_audits_and_clones_others():
    one, other = (Controller(EVERYTHING, PROMPT, seed=seed) for seed in (5, 6))
    for step in range(1, 8):
        play_step(one, step)
    other.load_state_dict(one.state_dict())
    assert decisions(one, 8) != decisions(other, 8)


def test_a_state_of_other_rules_is_refused():
    state = Controller(EVERYTHING, PROMPT).state_dict()
    with pytest.raises(ValueError, match="the state has .*'cutoff'.* need .*'experts'"):
        Controller(PAPER, PROMPT).load_state_dict(state)
    with pytest.raises(ValueError, match="not the state of a controller.*'ledger'"):
        Controller(PAPER, PROMPT).load_state_dict({**state, "state_of": "ledger"})
    with pytest.raises(ValueError, match="of version 9"):
        Controller(PAPER, PROMPT).load_state_dict({**state, "version": 9})


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(["gate", "cutoff", "experts", "hints", "schedule"]))
def test_a_part_that_does_not_fit_changes_no_other(name):
    source, target = (Controller(EVERYTHING, PROMPT, seed=5) for _ in range(2))
    for step in range(1, 5):
        play_step(source, step)
    play_step(target, 1)
    before, decided_before = to_json_data(target.state_dict()), decisions(target, 9)
    state = to_json_data(source.state_dict())
    state["parts"][name]["version"] = 7
    with pytest.raises(ValueError, match="version 7"):
        target.load_state_dict(state)
    assert to_json_data(target.state_dict()) == before
    assert decisions(target, 9) == decided_before
