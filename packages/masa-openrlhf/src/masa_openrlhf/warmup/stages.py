"""The two stages, and what is asked before, between and after them."""

from __future__ import annotations

import json
import random
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from masa_control import META, SOLUTION, Problem
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from masa_openrlhf.cache import find_cache_home
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.data.errors import DataError
from masa_openrlhf.data.problems import load_problems
from masa_openrlhf.model.source import prepare_model
from masa_openrlhf.procedural.tasks import PREFIX
from masa_openrlhf.run.devices import runs_on_cpu
from masa_openrlhf.run.files import write_atomically
from masa_openrlhf.warmup.demonstrations import (
    DemonstrationEncoder,
    EncodedDemonstrations,
    TextDemonstration,
)
from masa_openrlhf.warmup.form_report import FormShares, measure_form
from masa_openrlhf.warmup.judging import SolutionJudge
from masa_openrlhf.warmup.notions import NotionDealer
from masa_openrlhf.warmup.observations import collect_marginals
from masa_openrlhf.warmup.predictions import (
    describe_short_lengths,
    make_prediction_demonstrations,
)
from masa_openrlhf.warmup.sampling import (
    build_sampler_start,
    list_predictions,
    make_request,
    observe_problems,
    sample_answers,
)
from masa_openrlhf.warmup.solutions import make_solution_demonstrations
from masa_openrlhf.warmup.training import train_stage
from masa_openrlhf.warmup.worked_solutions import read_worked_solutions
from masa_openrlhf.warmup.worker import TrainingJob

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from masa_openrlhf.eval.engine.messages import GenerateReply
    from masa_openrlhf.warmup.observations import ObservedProblem

_FEWEST = 8
"""Problems that demonstrations are made of, at least."""


class WarmupResult(NamedTuple):
    """What came of it.

    Attributes:
        before: shares of the model as it was given.
        after: shares of the model that was saved.
    """

    before: FormShares
    after: FormShares


class StagePaths(NamedTuple):
    """Where a warm-up writes.

    Attributes:
        out: the folder that gets the model; it is there, and empty.
        temporary: a folder for what is not kept.
        log: gets all that vLLM and the training print.
    """

    out: Path
    temporary: Path
    log: Path


class SplitProblems(NamedTuple):
    """Problems of a warm-up.

    Attributes:
        shown: those that demonstrations are made of.
        held_out: those kept apart.
    """

    shown: list[Problem]
    held_out: list[Problem]


def split_problems(
    problems: Sequence[Problem],
    config: TrainConfig,
    fits: Callable[[Problem], bool] = lambda _problem: True,
) -> SplitProblems:
    """Draw the problems by the seed; no statement is on both sides.

    Args:
        problems: all there are.
        config: how many.
        fits: whether a problem's prompts are short enough; asked of those that are drawn.

    Raises:
        DataError: there are too few.
    """
    settings = config.warmup
    distinct = list({problem.text: problem for problem in problems}.values())
    random.Random(f"warm-up problems {settings.seed}").shuffle(distinct)
    drawn = list(islice(filter(fits, distinct), settings.held_out + settings.problems))
    if len(drawn) < settings.held_out + _FEWEST:
        raise DataError(
            f"{len(drawn)} of {len(problems)} problems are of use, with a statement of their own "
            f"and prompts of at most {config.data.prompt_max_tokens} tokens "
            f"(data.prompt_max_tokens). That is too few: {settings.held_out} are kept apart "
            f"(warmup.held_out), and demonstrations are made of {_FEWEST} at least"
        )
    return SplitProblems(drawn[settings.held_out :], drawn[: settings.held_out])


def run_stages(config: TrainConfig, paths: StagePaths, console: Console) -> WarmupResult:
    """Warm the model up, and write it and what is said of it into a folder.

    Args:
        config: the run's.
        paths: where it writes.
        console: gets the progress.

    Raises:
        DataError: the problems cannot be used.
        EvalError: vLLM did not start, or died.
        TrainingFailedError: the training died.
    """
    with SolutionJudge(config.verifier) as judge:
        warmup = _Warmup(config, paths, console, judge)
        result = warmup.run(paths.out)
    report = {
        "settings": config.model_dump(mode="json"),
        "reached": result.after.reaches(config.warmup.aim),
        "left_out": warmup.left_out,
        "before": result.before.model_dump(mode="json"),
        "after": result.after.model_dump(mode="json"),
    }
    write_atomically(paths.out / "warmup.json", json.dumps(report, indent=2) + "\n")
    rows = (
        {"kind": d.kind, "id": d.problem, "prompt": d.prompt, "response": d.response}
        for d in warmup.shown
    )
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_atomically(paths.out / "demonstrations.jsonl", "".join(lines))
    return result


@dataclass
class _Warmup:
    """What the stages share."""

    config: TrainConfig
    paths: StagePaths
    console: Console
    judge: SolutionJudge

    def __post_init__(self) -> None:
        config = self.config
        assert config.model.path is not None
        self.model = prepare_model(config.model.path, find_cache_home(), self.console.print)
        self.tokenizer: Any = _load_tokenizer(self.model)
        self.encoder = DemonstrationEncoder(self.tokenizer, config)
        self.left_out: dict[str, int] = {}
        self.shown: list[TextDemonstration] = []
        self.on_cpu = runs_on_cpu(config)
        self.asks_predictions = config.meta_rollouts > 0

    def run(self, out: Path) -> WarmupResult:
        """Run all of it; the model is in ``out`` then."""
        problems = self._load_problems()
        solutions = self._make_solutions(problems.shown)
        before = self._measure(self.model, problems.held_out, "before")
        if not self.asks_predictions:
            self._train(self.model, solutions, out, "solutions")
            self.tokenizer.save_pretrained(out)
            return WarmupResult(before, self._measure(str(out), problems.held_out, "after"))
        first = self.paths.temporary / "first-stage"
        self._train(self.model, solutions, first, "solutions")
        self.tokenizer.save_pretrained(first)
        predictions = self._make_predictions(str(first), problems.shown, solutions.shown)
        both = EncodedDemonstrations(
            [*solutions.shown, *predictions.shown],
            [*solutions.tokens, *predictions.tokens],
            {},
        )
        self._train(str(first), both, out, "predictions")
        self.tokenizer.save_pretrained(out)
        return WarmupResult(before, self._measure(str(out), problems.held_out, "after"))

    def _load_problems(self) -> SplitProblems:
        data = self.config.data
        assert data.train is not None
        loaded = load_problems(data.train, data)
        self._count(loaded.left_out)
        self.judge.scorers, self.worked = loaded.scorers, loaded.worked
        longest = self.encoder.prompts.longest
        return split_problems(
            loaded.problems, self.config, lambda one: longest(one) <= data.prompt_max_tokens
        )

    def _make_solutions(self, problems: Sequence[Problem]) -> EncodedDemonstrations:
        config = self.config
        assert config.data.train is not None
        made_here = config.data.train.startswith(PREFIX)
        key = config.warmup.solution_key
        worked = (
            {p.id: self.worked[p.id] for p in problems if p.id in self.worked}
            if made_here
            else read_worked_solutions(config.data.train, config.data, key, problems)
        )
        made = make_solution_demonstrations(problems, worked, config.episode_settings(), self.judge)
        if len(made) < len(problems):
            self._count({"gold that is not judged right": len(problems) - len(made)})
        self.console.print(
            f"{len(made)} solutions to show, {len(worked)} of them worked in the data",
            highlight=False,
        )
        return self._encode(made, "solutions")

    def _make_predictions(
        self, model: str, problems: Sequence[Problem], solutions: Sequence[TextDemonstration]
    ) -> EncodedDemonstrations:
        config = self.config
        observed, _ = self._ask(model, problems, (SOLUTION,), "between the stages")
        if said := describe_short_lengths(collect_marginals(observed), config.meta_prompt):
            self.console.print(said, style="yellow", soft_wrap=True, highlight=False)
        rules = config.meta.notions
        dealer = NotionDealer(observed, rules, (one.response for one in solutions))
        rng = random.Random(f"warm-up predictions {config.warmup.seed}")
        made = make_prediction_demonstrations(
            observed, config.meta_prompt, dealer, rng, spread=config.warmup.spread
        )
        return self._encode(made, "predictions")

    def _encode(self, made: Sequence[TextDemonstration], what: str) -> EncodedDemonstrations:
        encoded = self.encoder.encode_all(made)
        self._count(encoded.left_out)
        self.shown += encoded.shown
        if not encoded.tokens:
            raise DataError(f"no {what} can be shown: {self.left_out}")
        return encoded

    def _count(self, left_out: Mapping[str, int]) -> None:
        for reason, count in left_out.items():
            self.left_out[reason] = self.left_out.get(reason, 0) + count
            self.console.print(f"left out: {count} x {reason}", style="yellow", highlight=False)

    def _train(self, model: str, what: EncodedDemonstrations, out: Path, name: str) -> None:
        settings = self.config.warmup
        pad = self.tokenizer.pad_token_id
        job = TrainingJob(
            model=model,
            out=str(out),
            demonstrations=[(one.prompt, one.response) for one in what.tokens],
            pad=self.encoder.end if pad is None else pad,
            epochs=settings.epochs,
            lr=settings.lr,
            batch_tokens=settings.batch_tokens,
            max_norm=self.config.optim.max_norm,
            checkpointing=self.config.cluster.gradient_checkpointing,
            on_cpu=self.on_cpu,
            attention=self.config.model.attention if self.on_cpu else None,
            seed=settings.seed,
        )
        with self._show_progress(f"stage {name}, {len(what.tokens)} demonstrations") as advance:
            train_stage(
                job,
                self.paths.temporary / "job.json",
                self.paths.log,
                lambda step, steps, loss: advance(step, steps, f"loss {loss:.2f}"),
            )

    def _measure(self, model: str, problems: Sequence[Problem], when: str) -> FormShares:
        kinds = (SOLUTION, META) if self.asks_predictions else (SOLUTION,)
        observed, replies = self._ask(model, problems, kinds, when)
        predictions = list_predictions(problems, replies)
        return measure_form(observed, predictions, self.config.meta_prompt)

    def _ask(
        self, model: str, problems: Sequence[Problem], kinds: Sequence[Any], when: str
    ) -> tuple[list[ObservedProblem], dict[str, GenerateReply]]:
        requests = [make_request(p, kind, self.config) for p in problems for kind in kinds]
        start = build_sampler_start(model, self.config, self.paths.temporary)
        with self._show_progress(f"asking {len(problems)} problems, {when}") as advance:
            replies = sample_answers(
                start, requests, self.paths.log, lambda done: advance(done, len(requests), "")
            )
        return observe_problems(problems, replies, self.judge), replies

    @contextmanager
    def _show_progress(self, what: str) -> Iterator[Callable[[int, int, str], None]]:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
        )
        with Progress(*columns, console=self.console) as bar:
            task = bar.add_task(what, total=None, note="starting")
            yield lambda done, total, note: bar.update(task, completed=done, total=total, note=note)


def _load_tokenizer(model: str) -> Any:
    """Load a tokenizer; what libraries say of each other meanwhile is nothing to a user."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        from transformers import AutoTokenizer

        return AutoTokenizer.from_pretrained(model)
