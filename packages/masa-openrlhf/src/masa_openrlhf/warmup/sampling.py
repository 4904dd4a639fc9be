"""Answers of a model by vLLM, as evaluation starts it, in the run's own wording."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from masa_control import META, SOLUTION, Problem
from masa_control.episode.types import RolloutKind

from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.eval.config import EngineConfig, EvaluationConfig
from masa_openrlhf.eval.engine.messages import GeneratedAnswer, GenerateReply, GenerateRequest
from masa_openrlhf.eval.engine.model_source import ModelSource
from masa_openrlhf.eval.engine.replicas import Replicas
from masa_openrlhf.eval.engine.start import EngineStart, build_engine_start
from masa_openrlhf.eval.evaluation import AnswerEngine, derive_seed
from masa_openrlhf.warmup.judging import SolutionJudge
from masa_openrlhf.warmup.observations import ObservedProblem

_IN_FLIGHT = 64


def build_sampler_start(model: str, config: TrainConfig, temporary: Path) -> EngineStart:
    """Say how vLLM is started with a model that is asked as the run asks.

    Args:
        model: its folder or hub name.
        config: the run's.
        temporary: a folder for what vLLM leaves lying about.
    """
    engine = EngineConfig(
        device=config.cluster.device,
        gpu_memory=config.cluster.gpu_memory,
        max_model_len=config.context_tokens,
    )
    evaluation = EvaluationConfig(model=model, seed=config.warmup.seed, engine=engine)
    source = ModelSource(Path(model).name, model, config, trained=True)
    return build_engine_start(source, evaluation, temporary)


def make_request(problem: Problem, kind: RolloutKind, config: TrainConfig) -> GenerateRequest:
    """Return what is asked of a problem: as the run will ask, at its temperature.

    Args:
        problem: the problem.
        kind: solutions or predictions.
        config: the run's.
    """
    settings = config.episode_settings()
    meta = kind == META
    name = f"{kind}/{problem.id}"
    return GenerateRequest(
        id=name,
        prompt=(
            settings.meta_prompt.render(problem.text) if meta else settings.solution_prompt(problem)
        ),
        n=config.warmup.rollouts,
        max_tokens=config.meta.max_tokens if meta else config.solution.max_tokens,
        temperature=config.sampling.temperature,
        top_p=config.sampling.top_p,
        seed=derive_seed(config.warmup.seed, name),
    )


def collect_replies(
    engine: AnswerEngine,
    requests: Iterable[GenerateRequest],
    progress: Callable[[int], None] = lambda _done: None,
) -> dict[str, GenerateReply]:
    """Ask all requests, some at a time; return the replies by the requests' ids.

    Args:
        engine: answers.
        requests: each with an id of its own.
        progress: told how many are answered.
    """
    waiting = deque(requests)
    replies: dict[str, GenerateReply] = {}
    while waiting or engine.in_flight:
        while waiting and engine.in_flight < _IN_FLIGHT:
            engine.ask(waiting.popleft())
        for reply in engine.answers(0.5):
            replies[reply.id] = reply
            progress(len(replies))
    return replies


def sample_answers(
    start: EngineStart,
    requests: Sequence[GenerateRequest],
    log: Path,
    progress: Callable[[int], None] = lambda _done: None,
) -> dict[str, GenerateReply]:
    """Start vLLM, ask all requests, and end it.

    Args:
        start: how it is started.
        requests: each with an id of its own.
        log: gets all that vLLM prints.
        progress: told how many are answered.

    Raises:
        EvalError: vLLM did not start, or died.
    """
    with Replicas(start, log, EngineConfig().start_seconds) as engine:
        return collect_replies(engine, requests, progress)


def observe_problems(
    problems: Sequence[Problem], replies: dict[str, GenerateReply], judge: SolutionJudge
) -> list[ObservedProblem]:
    """Judge the solutions of problems.

    Args:
        problems: those that were asked.
        replies: to ``make_request``, by id.
        judge: judges as the run does.
    """
    answers = {p.id: replies[f"{SOLUTION}/{p.id}"].answers or () for p in problems}
    pairs = [(p, answer.text) for p in problems for answer in answers[p.id]]
    verdicts = iter(judge.judge_all(pairs))
    return [
        ObservedProblem(p, answers[p.id], tuple(next(verdicts) for _ in answers[p.id]))
        for p in problems
    ]


def list_predictions(
    problems: Sequence[Problem], replies: dict[str, GenerateReply]
) -> list[GeneratedAnswer]:
    """Return all answers to the meta prompts of problems."""
    named = [replies.get(f"{META}/{problem.id}") for problem in problems]
    return [answer for reply in named if reply for answer in reply.answers or ()]
