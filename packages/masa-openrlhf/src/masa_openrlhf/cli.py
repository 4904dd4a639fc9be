"""The command line. Nothing of the stack is imported here, nor anything slow before its time."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from masa_openrlhf import __version__
from masa_openrlhf.command.invocation import format_command
from masa_openrlhf.command.usage import USAGE, describe_unknown_command, list_commands

if TYPE_CHECKING:
    from masa_openrlhf.config.tree import TrainConfig
    from masa_openrlhf.data.problems import LoadedProblems


def main(argv: list[str] | None = None) -> None:
    """Run a command; ends the process with its exit status."""
    arguments = sys.argv[1:] if argv is None else argv
    command, rest = (arguments[0], arguments[1:]) if arguments else ("--help", [])
    if command in ("-h", "--help"):
        print(USAGE, end="")
    elif command == "--version" or "--version" in rest:
        print(__version__)
    elif command in ("presets", "schema", "completion"):
        _print_or_exit(command, rest)
    elif command == "train":
        _train_or_exit(rest)
    elif command == "eval":
        _run_eval(rest)
    elif command == "plan":
        _plan_or_exit(rest)
    elif command == "warmup":
        _warm_up_or_exit(rest)
    elif command == "report":
        _report_or_exit(rest)
    else:
        _exit_with_message(describe_unknown_command(command), status=2)


def _print_or_exit(command: str, rest: list[str]) -> None:
    """The commands that print something and end."""
    if "-h" in rest or "--help" in rest:
        print(USAGE, end="")
        return
    try:
        print(_render_output(command, rest), end="")
    except ValueError as error:
        _exit_with_message(str(error), status=2)


def _render_output(command: str, rest: list[str]) -> str:
    if command == "schema":
        from masa_openrlhf.command.schema import render_schema

        return render_schema()
    if command == "completion":
        from masa_openrlhf.command.completion import render_completion

        return render_completion(rest[0] if rest else "", list_commands())
    from masa_openrlhf.command.presets import read_preset_text, render_presets

    names = rest[1:] if rest[:1] == ["show"] else rest
    if rest[:1] == ["show"] and not names:
        raise ValueError(f"name the preset to show: {format_command('presets', 'show', 'tiny')}")
    return "\n".join(map(read_preset_text, names)) if names else render_presets()


def _report_or_exit(argv: list[str]) -> None:
    from masa_openrlhf.command.failures import FileAccessError, explain_file_errors
    from masa_openrlhf.report.command import main as report

    try:
        with explain_file_errors():
            sys.exit(report(argv))
    except FileAccessError as error:
        _exit_with_message(str(error))


def _exit_with_message(message: str, status: int = 1) -> NoReturn:
    print(f"masa-openrlhf: {message}", file=sys.stderr)
    sys.exit(status)


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--preset")
    parser.add_argument("--config", type=Path, action="append", default=[])
    parser.add_argument("--resume", type=Path)
    parser.add_argument("--trust", action="store_true")
    return parser


def _plan_or_exit(argv: list[str]) -> None:
    from masa_openrlhf.config.layers import ConfigError
    from masa_openrlhf.plan import command
    from masa_openrlhf.plan.cards import CARDS

    if "-h" in argv or "--help" in argv:
        print(command.HELP.format(cards=", ".join(CARDS)), end="")
        return
    parser = _make_parser()
    command.add_options(parser)
    try:
        options, flags = parser.parse_known_args(argv)
        sys.exit(command.run_plan(_read_configuration(options, flags), options))
    except (ConfigError, ValueError) as error:
        _exit_with_message(str(error), status=2)


def _train_or_exit(argv: list[str]) -> None:
    if {"-h", "--help", "--help-all"} & set(argv):
        from masa_openrlhf.config.help import render_short_help, render_train_help

        print(render_train_help() if "--help-all" in argv else render_short_help(), end="")
        return
    from masa_openrlhf.arguments.parse import OpenRLHFArgumentError
    from masa_openrlhf.command.failures import FileAccessError, explain_file_errors
    from masa_openrlhf.config.layers import ConfigError
    from masa_openrlhf.run.disk import DiskFullError

    try:
        with explain_file_errors():
            sys.exit(_run_train(argv))
    except (ConfigError, OpenRLHFArgumentError, ModuleNotFoundError, ValueError) as error:
        _exit_with_message(str(error), status=2)
    except (DiskFullError, FileAccessError) as error:
        _exit_with_message(str(error))


def _warm_up_or_exit(argv: list[str]) -> None:
    if "-h" in argv or "--help" in argv:
        from masa_openrlhf.warmup.command import render_warmup_help

        print(render_warmup_help(), end="")
        return
    from masa_openrlhf.arguments.parse import OpenRLHFArgumentError
    from masa_openrlhf.command.next_command import list_training_arguments
    from masa_openrlhf.config.layers import ConfigError
    from masa_openrlhf.warmup.command import run_warmup
    from masa_openrlhf.warmup.training import TrainingFailedError

    parser = _make_parser()
    parser.add_argument("--out", type=Path)
    options, flags = parser.parse_known_args(argv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # by way of every `finally`
    try:
        if options.out is None:
            raise ConfigError("name the folder that gets the model: --out FOLDER")
        if options.resume is not None:
            raise ConfigError("a warm-up is not gone on with: leave --resume out")
        config = _read_configuration(options, flags)
        again = list_training_arguments(options.preset, options.config, flags, options.out)
        sys.exit(run_warmup(config, options.out, train_arguments=again))
    except (ConfigError, OpenRLHFArgumentError, ModuleNotFoundError, ValueError) as error:
        _exit_with_message(str(error), status=2)
    except TrainingFailedError as error:
        _exit_with_message(str(error))
    except KeyboardInterrupt:
        _exit_with_message("stopped; nothing is kept", status=130)


def _run_eval(argv: list[str]) -> None:
    if "-h" in argv or "--help" in argv:
        from masa_openrlhf.eval.help_text import render_eval_help

        print(render_eval_help(), end="")
        return
    from masa_openrlhf.command.failures import FileAccessError, explain_file_errors
    from masa_openrlhf.eval.command import main as evaluate

    try:
        with explain_file_errors():
            sys.exit(evaluate(argv))
    except FileAccessError as error:
        _exit_with_message(str(error))


def _run_train(argv: list[str]) -> int:
    parser = _make_parser()
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--force", action="store_true")
    options, flags = parser.parse_known_args(argv)
    config = _read_configuration(options, flags)
    if options.force:
        cluster = config.cluster.model_copy(update={"check_memory": False})
        config = config.model_copy(update={"cluster": cluster})
    from masa_openrlhf.plan.command import find_local_card, require_fit
    from masa_openrlhf.run.devices import is_on_one_machine, require_stack, runs_on_cpu
    from masa_openrlhf.run.folder import RunFolder

    path = options.resume or config.runs / f"{config.name}-{time.strftime('%Y%m%d-%H%M%S')}"
    folder = RunFolder(path, sample_episodes=config.log.episodes)
    resume = options.resume is not None
    if resume:
        from masa_openrlhf.run.checkpoint_ranks import require_saved_ranks

        require_saved_ranks(config, folder)
    if options.json and not options.dry_run:
        raise ValueError(
            f"--json is for a dry run: {format_command('train', '--dry-run', '--json')}"
        )
    argv = _check_arguments(config, folder, resume=resume)
    if options.dry_run:
        from masa_openrlhf.command.dry_run import render_dry_run, render_dry_run_json

        print(render_dry_run_json(config, argv) if options.json else render_dry_run(config, argv))
    if not options.dry_run:
        require_stack(config)
        if config.cluster.check_memory and not runs_on_cpu(config) and is_on_one_machine(config):
            require_fit(config, find_local_card())
    _check_model(config, dry_run=options.dry_run)
    named = {} if resume else _read_problems(config, dry_run=options.dry_run)
    if options.dry_run:
        _show_problems(named)
        return 0
    if not resume and folder.path.exists():
        folder = RunFolder(Path(f"{path}-{os.getpid()}"), sample_episodes=config.log.episodes)
    from masa_openrlhf.data.named import hand_on_problems
    from masa_openrlhf.run.disk import name_full_disks
    from masa_openrlhf.run.supervision import supervise_run

    with name_full_disks(folder.path, Path(tempfile.gettempdir())):
        folder.create(config)
        if named:
            hand_on_problems(named, folder.named_problems)
        status = supervise_run(folder, config, resume=resume)
        if status == 0:
            from masa_openrlhf.report.command import write_final_report

            write_final_report(folder.path)
    return status


def _read_problems(config: TrainConfig, *, dry_run: bool) -> dict[str, LoadedProblems]:
    """Read the problems that are named, before there is a folder: what is wrong is said at once.

    A dry run goes on where the hub cannot be asked.
    """
    from masa_openrlhf.data.errors import UnreachableDataError
    from masa_openrlhf.data.named import load_named_problems

    try:
        return load_named_problems(config.data)
    except UnreachableDataError as error:
        if not dry_run:
            raise
        print(f"masa-openrlhf: not checked: {error}", file=sys.stderr)
        return {}


def _show_problems(named: dict[str, LoadedProblems]) -> None:
    from masa_openrlhf.data.summary import describe_problems, summarise_problems

    for split, loaded in named.items():
        for line in describe_problems(summarise_problems(loaded), f"{split} on"):
            print(f"masa-openrlhf: {line}", file=sys.stderr)


def _read_configuration(options: argparse.Namespace, flags: list[str]) -> TrainConfig:
    from masa_openrlhf.config import layers
    from masa_openrlhf.config.rules import merge_settings

    if options.resume is not None:
        if options.preset or options.config:
            raise layers.ConfigError("--resume has its configuration; it takes flags, no files")
        file = options.resume / "config.json"
        if not file.is_file():
            raise layers.ConfigError(f"{options.resume} is not a run's folder: no config.json")
        if not options.trust:
            from masa_openrlhf.run.folder_ownership import require_trusted

            require_trusted(options.resume)  # to read its configuration imports what that names
        return layers.apply_flags(layers.read_saved_config(file.read_text("utf-8")), flags)
    from masa_openrlhf.model.layer import choose_base

    above: dict[str, Any] = {}
    for file in options.config:
        above = merge_settings(above, layers.read_toml(file))
    base, note = choose_base(options.preset, above, flags)
    if note:
        print(note, file=sys.stderr)
    return layers.apply_flags(
        layers.build_config(merge_settings(base, above), options.config), flags
    )


def _check_model(config: TrainConfig, *, dry_run: bool) -> None:
    """Look for the model; a dry run goes on where the hub cannot be asked."""
    from masa_openrlhf.hub import HubUnreachableError
    from masa_openrlhf.model.source import require_model

    if config.model.path is None:
        return
    try:
        require_model(config.model.path)
    except HubUnreachableError as error:
        if not dry_run:
            raise
        print(f"masa-openrlhf: not checked: {error}", file=sys.stderr)


def _check_arguments(config: TrainConfig, folder: os.PathLike[str], *, resume: bool) -> list[str]:
    """Have OpenRLHF read its arguments, before anything starts; return them."""
    from masa_openrlhf import cpu
    from masa_openrlhf.arguments.build import build_arguments
    from masa_openrlhf.arguments.parse import parse_arguments
    from masa_openrlhf.run.devices import runs_on_cpu
    from masa_openrlhf.run.folder import RunFolder

    on_cpu = runs_on_cpu(config)
    folder = RunFolder(Path(folder))
    argv = build_arguments(config, folder, cpu=on_cpu, resume=resume)
    parsed = parse_arguments(argv)
    if on_cpu:
        cpu.refuse_unsupported(parsed)
    return argv


if __name__ == "__main__":
    main()
