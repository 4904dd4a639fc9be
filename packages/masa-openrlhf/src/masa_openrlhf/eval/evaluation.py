"""Asks every question, has its answers judged, and writes its line.

No question waits for another: a question's line is written as soon as its own answers are in and
judged, in whatever order that comes. Judging runs in threads beside the model.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from masa_rewards import MetaPrompt, Verdict

from masa_openrlhf.eval.config import EvaluationConfig
from masa_openrlhf.eval.engine.messages import GeneratedAnswer, GenerateReply, GenerateRequest
from masa_openrlhf.eval.errors import EvalError
from masa_openrlhf.eval.folder import EvalFolder
from masa_openrlhf.eval.graders import Grader
from masa_openrlhf.eval.question import Question
from masa_openrlhf.eval.questions import BenchmarkQuestions
from masa_openrlhf.eval.results.records import Record, make_left_out, make_record


class AnswerEngine(Protocol):
    """What answers requests: see ``replicas``."""

    @property
    def in_flight(self) -> int:
        """Requests that are not answered yet."""
        ...

    def ask(self, request: GenerateRequest) -> None:
        """Send a request."""
        ...

    def answers(self, timeout: float) -> list[GenerateReply]:
        """Return what came within so many seconds."""
        ...


class QuestionTask(NamedTuple):
    """A question of a benchmark."""

    benchmark: str
    question: Question


@dataclass
class _PendingQuestion:
    """A question that is under way."""

    task: QuestionTask
    waits_for: set[str]
    replies: dict[str, GenerateReply] = field(default_factory=dict)


def list_open_tasks(asked: Sequence[BenchmarkQuestions], folder: EvalFolder) -> list[QuestionTask]:
    """Return the questions that have no line yet, after mending what a kill left of one.

    Raises:
        EvalError: a question that has one was asked otherwise, since its data have changed.
    """
    tasks = []
    for each in asked:
        name = each.benchmark.name
        file = folder.records(name)
        file.mend()
        done = {record.id: (record.prompt, record.gold) for record in file.read()}
        for question in each.questions:
            asked_now = (question.prompt, question.gold)
            if done.get(question.id, asked_now) != asked_now:
                raise EvalError(
                    f"{name}: question {question.id!r} has another prompt or gold in {each.where} "
                    f"than in {file.path}: go on with the data it was begun with, or begin anew "
                    "without --resume"
                )
        tasks += [QuestionTask(name, q) for q in each.questions if q.id not in done]
    return tasks


class Evaluation:
    """Runs questions through an engine and graders.

    Args:
        config: the settings.
        folder: gets the lines.
        graders: benchmark -> its grader.
        meta_prompt: asks for predictions; None where none are wanted.
        threads: answers that are judged at a time.
    """

    def __init__(
        self,
        config: EvaluationConfig,
        folder: EvalFolder,
        graders: Mapping[str, Grader],
        meta_prompt: MetaPrompt | None,
        threads: int,
    ) -> None:
        self._config, self._folder, self._graders = config, folder, graders
        self._meta = meta_prompt
        self._threads = threads
        self._open: dict[str, _PendingQuestion] = {}
        self._judging: set[Future[QuestionTask]] = set()

    def run(
        self,
        tasks: Sequence[QuestionTask],
        engine: AnswerEngine,
        progress: Callable[[QuestionTask, int], None],
    ) -> None:
        """Ask all questions.

        Args:
            tasks: what to ask.
            engine: answers.
            progress: told of each question that is done, and of how many tokens it took.
        """
        waiting = deque(tasks)
        at_once = self._config.engine.questions_in_flight * self._config.data_parallel
        self._progress = progress
        pool = ThreadPoolExecutor(self._threads, thread_name_prefix="judge")
        try:
            while waiting or self._open or self._judging:
                # Where judging is the slower of the two, asking waits for it.
                while waiting and len(self._open) < at_once > len(self._judging):
                    self._ask(waiting.popleft(), engine)
                for reply in engine.answers(0.05) if engine.in_flight else ():
                    self._take(reply, pool)
                self._collect(block=not engine.in_flight)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _ask(self, task: QuestionTask, engine: AnswerEngine) -> None:
        name = f"{task.benchmark}/{task.question.id}"
        requests = self._make_requests(task.question, name)
        self._open[name] = _PendingQuestion(task, {request.id for request in requests})
        for request in requests:
            engine.ask(request)

    def _make_requests(self, question: Question, name: str) -> list[GenerateRequest]:
        """Return what is asked of a question: its predictions first, where they are wanted."""
        config, prediction = self._config, self._config.prediction
        solution = GenerateRequest(
            id=f"solution/{name}",
            prompt=question.prompt,
            n=config.samples,
            max_tokens=config.max_tokens,
            temperature=config.temperature,
            top_p=config.top_p,
            seed=derive_seed(config.seed, f"solution/{name}"),
        )
        if self._meta is None:
            return [solution]
        meta = GenerateRequest(
            id=f"meta/{name}",
            prompt=self._meta.render(question.statement),
            n=prediction.rollouts,
            max_tokens=prediction.limit,
            temperature=prediction.temperature,
            top_p=config.top_p,
            seed=derive_seed(config.seed, f"meta/{name}"),
        )
        return [meta, solution]

    def _take(self, reply: GenerateReply, pool: ThreadPoolExecutor) -> None:
        kind, _, name = reply.id.partition("/")
        found = self._open[name]
        found.waits_for.discard(reply.id)
        found.replies[kind] = reply
        if not found.waits_for:
            del self._open[name]
            self._judging.add(pool.submit(self._judge, found.task, found.replies))

    def _judge(self, task: QuestionTask, replies: Mapping[str, GenerateReply]) -> QuestionTask:
        self._folder.records(task.benchmark).append(self._make_record(task, replies))
        tokens = sum(one.tokens for reply in replies.values() for one in reply.answers or ())
        self._progress(task, tokens)
        return task

    def _make_record(self, task: QuestionTask, replies: Mapping[str, GenerateReply]) -> Record:
        solution, meta = replies["solution"], replies.get("meta")
        if solution.answers is None:
            assert solution.room is not None
            return make_left_out(
                task.question, prompt_tokens=solution.prompt_tokens, room=solution.room
            )
        return make_record(
            task.question,
            solution.answers,
            self._grade_all(task, solution.answers),
            (meta and meta.answers) or (),
            prompt_tokens=solution.prompt_tokens,
            seed=derive_seed(self._config.seed, solution.id),
        )

    def _grade_all(self, task: QuestionTask, answers: Sequence[GeneratedAnswer]) -> list[Verdict]:
        """Judge the answers of a question; the same text once."""
        grader = self._graders[task.benchmark]
        texts = dict.fromkeys(answer.text for answer in answers)
        known = {text: _grade_answer(grader, task.question, text) for text in texts}
        return [known[answer.text] for answer in answers]

    def _collect(self, *, block: bool) -> None:
        """Let errors of writing up; wait for one to end where there is nothing else to do."""
        if block and self._judging:
            wait(self._judging, return_when=FIRST_COMPLETED)
        done = {future for future in self._judging if future.done()}
        self._judging -= done
        for future in done:
            future.result()


def _grade_answer(grader: Grader, question: Question, text: str) -> Verdict:
    """Judge one answer. What a grader raises is the judge's error, counted, and ends nothing."""
    try:
        return grader.grade(question, text)
    except Exception as error:
        return Verdict(
            status="error", answer=None, detail=f"{type(error).__name__}: {error!s:.200}"
        )


def derive_seed(seed: int, name: str) -> int:
    """Return the seed of a request, 32 bits: the same whatever else is asked, and in what order."""
    digest = hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big")
