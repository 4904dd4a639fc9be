"""Problems are asked as the run will ask them, and judged by its verifier."""

from masa_control import META, SOLUTION, Problem
from masa_openrlhf.config.layers import build_config, read_preset
from masa_openrlhf.config.sections import VerifierConfig
from masa_openrlhf.warmup.judging import SolutionJudge
from masa_openrlhf.warmup.sampling import (
    collect_replies,
    list_predictions,
    make_request,
    observe_problems,
)

from tests.masa_openrlhf.eval.fakes import ScriptedEngine

CONFIG = build_config(read_preset("tiny"))
PROBLEMS = [Problem(id=f"p{i}", text=f"{i} + 1?", answer=str(i + 1)) for i in range(150)]


def test_a_request_has_the_runs_wording_and_limits():
    solution = make_request(PROBLEMS[3], SOLUTION, CONFIG)
    assert (solution.id, solution.prompt, solution.n) == ("solution/p3", "3 + 1?\nSolve.", 4)
    assert (solution.max_tokens, solution.temperature) == (96, 1.0)
    meta = make_request(PROBLEMS[3], META, CONFIG)
    assert (meta.id, meta.prompt, meta.max_tokens) == ("meta/p3", "3 + 1?\nPredict.", 32)
    assert meta.seed != solution.seed


def say(request):
    kind, _, name = request.id.partition("/")
    if kind == "meta":
        return ["soon"] * request.n
    return [f"\\boxed{{{int(name[1:]) + 1}}}", "\\boxed{0}", "nothing", "\\boxed{0}"]


def test_all_are_asked_some_at_a_time_and_judged():
    requests = [make_request(p, kind, CONFIG) for p in PROBLEMS for kind in (SOLUTION, META)]
    engine = ScriptedEngine(say)
    told = []
    replies = collect_replies(engine, requests, told.append)
    assert engine.most == 64
    assert told[-1] == len(replies) == 300
    with SolutionJudge(VerifierConfig(workers=1)) as judge:
        observed = observe_problems(PROBLEMS, replies, judge)
    assert {one.pass_rate for one in observed} == {0.25}
    statuses = [verdict.status for verdict in observed[7].verdicts]
    assert statuses == ["correct", "incorrect", "unparsable", "incorrect"]
    assert observed[7].right_lengths == (len("\\boxed{8}"),)
    assert [one.text for one in list_predictions(PROBLEMS, replies)] == ["soon"] * 600


def test_a_problem_without_room_has_no_answers():
    replies = collect_replies(
        ScriptedEngine(lambda _: 99), [make_request(PROBLEMS[0], SOLUTION, CONFIG)]
    )
    with SolutionJudge(VerifierConfig(workers=1)) as judge:
        (observed,) = observe_problems(PROBLEMS[:1], replies, judge)
    assert observed.pass_rate is None
    assert list_predictions(PROBLEMS[:1], replies) == []
