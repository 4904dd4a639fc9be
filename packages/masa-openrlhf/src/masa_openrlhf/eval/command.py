"""``masa-openrlhf eval``: from the command line to the tables."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from masa_rewards import AnswerVerifier, MetaPrompt
from rich.console import Console

from masa_openrlhf.command.invocation import format_command
from masa_openrlhf.config.layers import ConfigError
from masa_openrlhf.eval.benchmarks.entry import Benchmark
from masa_openrlhf.eval.benchmarks.registry import choose_benchmarks
from masa_openrlhf.eval.config import EvaluationConfig
from masa_openrlhf.eval.engine.model_source import ModelSource, find_model
from masa_openrlhf.eval.engine.replicas import Replicas
from masa_openrlhf.eval.engine.start import build_engine_start
from masa_openrlhf.eval.errors import EvalError
from masa_openrlhf.eval.evaluation import Evaluation, list_open_tasks
from masa_openrlhf.eval.folder import EvalFolder, name_new_folder
from masa_openrlhf.eval.graders import Grader
from masa_openrlhf.eval.graders.cases import CasesGrader
from masa_openrlhf.eval.graders.choice import ChoiceGrader
from masa_openrlhf.eval.graders.literal import LiteralGrader
from masa_openrlhf.eval.graders.maths import MathsGrader
from masa_openrlhf.eval.graders.number import NumberGrader
from masa_openrlhf.eval.graders.own import OwnGrader
from masa_openrlhf.eval.graders.program import ProgramGrader
from masa_openrlhf.eval.questions import BenchmarkQuestions, load_questions
from masa_openrlhf.eval.render.html import render_html
from masa_openrlhf.eval.render.terminal import (
    ProgressBar,
    render_comparison_terminal,
    render_terminal,
)
from masa_openrlhf.eval.results.comparison import check_comparable, compare_evaluations
from masa_openrlhf.eval.results.summary import compute_results
from masa_openrlhf.eval.sandbox.probe import probe_limits
from masa_openrlhf.eval.settings import make_parser, read_configuration
from masa_openrlhf.procedural.scorer import TaskScorer
from masa_openrlhf.run.temporary import make_temporary_folder

EXIT_STOPPED = 130


def run_evaluation(argv: Sequence[str], console: Console | None = None) -> int:
    """Evaluate a model.

    Returns:
        The exit status: 0, or 130 when it was stopped.

    Raises:
        EvalError: it cannot be done as asked.
        ConfigError: a setting cannot be used.
    """
    console = console or Console()
    given, rest = make_parser().parse_known_args(list(argv))
    config = read_configuration(given, rest)
    chosen = choose_benchmarks(config.chosen)
    model = find_model(config)
    config = settle_prediction_limit(config, model)
    asked = load_benchmarks(chosen, config, model)
    folder = EvalFolder(given.resume) if given.resume else name_new_folder(config, model.name)
    if given.compare is not None:
        check_comparable(folder, EvalFolder(given.compare), asked)
    if given.dry_run:
        _print_plan(config, asked, console)
        return 0
    folder.make()
    with folder.held():
        folder.create(config)
        console.print(f"Folder: {folder.path}", soft_wrap=True)
        try:
            _ask_open_questions(
                config, model, asked, folder, console, allow_unsandboxed=given.allow_unsandboxed
            )
            status = 0
        except KeyboardInterrupt:
            status = EXIT_STOPPED
        _write_report(config, model, asked, folder, given.compare, console)
    if status:
        console.print("stopped; go on with", style="yellow")
        console.print(
            f"  {format_command('eval', '--resume', folder.path)}", style="bold", soft_wrap=True
        )
    return status


def settle_prediction_limit(config: EvaluationConfig, model: ModelSource) -> EvaluationConfig:
    """Return the configuration with the longest prediction stated.

    A model that has never seen the meta prompt may write until it is stopped: with a limit far
    above what is asked for, its predictions would fill the cache.
    """
    prediction = config.prediction
    if prediction.max_tokens is None:
        limit = model.asked_as.meta.max_tokens if model.trained else prediction.limit
        prediction = prediction.model_copy(update={"max_tokens": limit})
    return config.model_copy(update={"prediction": prediction})


def load_benchmarks(
    chosen: Sequence[Benchmark], config: EvaluationConfig, model: ModelSource
) -> list[BenchmarkQuestions]:
    """Read the benchmarks.

    Raises:
        EvalError: some cannot be read; it names all of them, each with its way out.
    """
    asked, wrong = [], []
    for benchmark in chosen:
        try:
            asked.append(load_questions(benchmark, config, model))
        except EvalError as error:
            wrong.append(str(error))
    if wrong:
        raise EvalError("\n".join(dict.fromkeys(wrong)))
    return asked


def build_meta_prompt(config: EvaluationConfig, model: ModelSource) -> MetaPrompt:
    """Return the meta prompt: of the run, where the model was trained by us."""
    if model.trained:
        return model.asked_as.meta_prompt
    return MetaPrompt(max_length=max(config.max_tokens, 128))


def _print_plan(
    config: EvaluationConfig, asked: Sequence[BenchmarkQuestions], console: Console
) -> None:
    """Say what would be asked, and how much that is."""
    console.print_json(config.model_dump_json())
    for each in asked:
        count = len(each.questions)
        most = count * config.samples * config.max_tokens
        line = f"{each.benchmark.title}: {count} questions of {each.where}, "
        line += f"{count * config.samples:,} answers of at most {most:,} tokens in all"
        console.print(line, soft_wrap=True, highlight=False)


def _ask_open_questions(
    config: EvaluationConfig,
    model: ModelSource,
    asked: Sequence[BenchmarkQuestions],
    folder: EvalFolder,
    console: Console,
    *,
    allow_unsandboxed: bool,
) -> None:
    """Ask what has no line yet."""
    tasks = list_open_tasks(asked, folder)
    if not tasks:
        console.print("every question has its answers already", style="dim")
        return
    with ExitStack() as stack:
        graders, unlimited = _make_graders(
            config, asked, stack, allow_unsandboxed=allow_unsandboxed
        )
        folder.note_unlimited(unlimited)
        console.print(f"starting vLLM; its log: {folder.log}", style="dim", soft_wrap=True)
        start = build_engine_start(model, config, stack.enter_context(make_temporary_folder()))
        engine = stack.enter_context(Replicas(start, folder.log, config.engine.start_seconds))
        prompt = build_meta_prompt(config, model) if config.meta else None
        threads = max(config.verifier.workers, config.sandbox.at_a_time)
        evaluation = Evaluation(config, folder, graders, prompt, threads)
        bar = stack.enter_context(ProgressBar(console, Counter(task.benchmark for task in tasks)))
        evaluation.run(tasks, engine, bar.done)


def _make_graders(
    config: EvaluationConfig,
    asked: Sequence[BenchmarkQuestions],
    stack: ExitStack,
    *,
    allow_unsandboxed: bool,
) -> tuple[dict[str, Grader], tuple[str, ...]]:
    """Make the graders that are needed; programs run only where every limit was seen to hold.

    Raises:
        EvalError: a limit does not hold here, and --allow-unsandboxed is not given.
    """
    wanted = {each.benchmark.name: each.benchmark.grader for each in asked}
    unlimited: tuple[str, ...] = ()
    if {"tests", "cases"} & set(wanted.values()):
        unlimited = probe_limits()
        if unlimited and not allow_unsandboxed:
            raise EvalError(
                "code of a model will not be run here, since these limits do not hold:\n"
                + "".join(f"  - {line}\n" for line in unlimited)
                + "Run it where user namespaces are allowed, leave the code benchmarks out, or say "
                "--allow-unsandboxed to run it without"
            )
    forced = bool(unlimited)
    verifier = stack.enter_context(AnswerVerifier(**config.verifier.model_dump()))
    scorer = TaskScorer(**config.verifier.model_dump())
    stack.callback(scorer.close)
    maths = MathsGrader(verifier)
    kinds: dict[str, Grader] = {
        "maths": maths,
        "own": OwnGrader(maths, scorer),
        "choice": ChoiceGrader(config.verifier.extraction),
        "number": NumberGrader(config.verifier.extraction),
        "literal": LiteralGrader(),
        "tests": ProgramGrader(config.sandbox, allow_unsandboxed=forced),
        "cases": CasesGrader(config.sandbox, allow_unsandboxed=forced),
    }
    return {name: kinds[kind] for name, kind in wanted.items()}, unlimited


def _write_report(
    config: EvaluationConfig,
    model: ModelSource,
    asked: Sequence[BenchmarkQuestions],
    folder: EvalFolder,
    other: Path | None,
    console: Console,
) -> None:
    """Add up, write and show what there is."""
    names = [each.benchmark.name for each in asked]
    compared = None if other is None else compare_evaluations(folder, EvalFolder(other), names)
    prompt = build_meta_prompt(config, model)
    results = compute_results(config, folder, asked, prompt, compared)
    folder.write_results(results.model_dump(mode="json"), render_html(results))
    render_terminal(results, console)
    if compared is not None:
        render_comparison_terminal(compared, config.model, console)
    console.print(f"Results: {folder.results}", soft_wrap=True, style="dim")


def main(argv: Sequence[str]) -> int:
    """Run the command; says what a user can mend without a traceback."""
    try:
        return run_evaluation(argv)
    except (EvalError, ConfigError, ModuleNotFoundError) as error:
        print(f"masa-openrlhf: {error}", file=sys.stderr)
        return 2
