"""``masa-openrlhf warmup``: the whole of it, in order."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from masa_openrlhf.command.invocation import format_command
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.run.temporary import make_temporary_folder
from masa_openrlhf.warmup.form_report import render_shares, suggest_next
from masa_openrlhf.warmup.stages import StagePaths, WarmupResult, run_stages

HELP = """\
usage: masa-openrlhf warmup --out FOLDER [--preset NAME] [--config FILE] [settings of train]

A short supervised warm-up for a model that does not answer in the form that train asks for: worked
solutions that end in the boxed answer, then predictions whose form is shown and whose content says
nothing of a problem. Afterwards it asks problems kept apart, and says how much can be read, before
and after. Train goes on from the folder:

  masa-openrlhf warmup --model.path MODEL --data.train FILE --out warm
  masa-openrlhf train --model.path warm --data.train FILE

Wording, limits and chat form are the run's: give the same settings to both. docs/guides/warmup.md

  --out FOLDER       gets the model in Hugging Face form with its tokenizer, warmup.json (settings
                     and shares), demonstrations.jsonl and log.txt; it must not exist, or be
                     empty. The log is FOLDER.log until the end
  --preset, --config as for train; masa-openrlhf train --help has the other settings

"""


class WarmupError(ValueError):
    """It cannot be done as asked; the message says what to do."""


def render_warmup_help() -> str:
    """Return the whole help of ``masa-openrlhf warmup``."""
    from masa_openrlhf.config.help import render_section

    return HELP + render_section(TrainConfig, "warmup")


def run_warmup(
    config: TrainConfig,
    out: Path,
    console: Console | None = None,
    *,
    train_arguments: Sequence[str] | None = None,
) -> int:
    """Warm a model up, and save it.

    Args:
        config: the run's, with the section warmup.
        out: the folder that gets the model.
        console: gets the progress and the table.
        train_arguments: the command that is printed at the end, by which train goes on with the
            same settings; unset: with the model alone.

    Returns:
        The exit status, 0: whether the aim was reached is said, and in warmup.json.

    Raises:
        WarmupError: it cannot be done as asked.
        DataError: the problems cannot be used.
        ModelError: there is no such model.
    """
    console = console or Console()
    check_request(config, out)
    console.print(f"Folder: {out}", soft_wrap=True)
    begun = time.monotonic()
    out.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=".making-", dir=out.parent))
    log = out.parent / f"{out.name}.log"
    try:
        with make_temporary_folder() as temporary:
            result = run_stages(config, StagePaths(making, temporary, log), console)
        log.rename(making / "log.txt")
        if out.exists():
            out.rmdir()
        making.chmod(0o755)
        making.rename(out)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    _tell_result(result, config.warmup.aim, console)
    console.print("train it with the same settings:", style="dim")
    command = format_command(*(train_arguments or ("train", "--model.path", out)))
    console.print(f"  {command}", style="bold", soft_wrap=True)
    console.print(f"{time.monotonic() - begun:.0f} s in all", style="dim")
    return 0


def check_request(config: TrainConfig, out: Path) -> None:
    """Refuse what cannot be done, within seconds.

    Raises:
        WarmupError: no model or no problems are named, signals of one's own are asked for, or the
            folder is there and not empty.
        ModelError: there is no such model.
        ModuleNotFoundError: the stack is not installed.
    """
    from masa_openrlhf.model.source import require_model
    from masa_openrlhf.run.devices import require_stack

    if config.model.path is None:
        raise WarmupError(
            "no model is named, and the tiny one answers in the form already: name one by "
            "--model.path"
        )
    if config.data.train is None:
        raise WarmupError("no problems are named: name them by --data.train, as for train")
    if config.meta.signals:
        raise WarmupError(
            f"meta.signals is {list(config.meta.signals)!r}: what a signal of your own would say "
            "is not known, so that it cannot be shown. Warm up without it (--meta.signals), and "
            "train with it"
        )
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise WarmupError(f"--out {out} is there already: name a new folder, or empty it")
    require_model(config.model.path)
    one = config.cluster.model_copy(update={"nodes": 1, "gpus_per_node": 1})
    require_stack(config.model_copy(update={"cluster": one}))


def _tell_result(result: WarmupResult, aim: float, console: Console) -> None:
    console.print(render_shares(result.before, result.after))
    for reason in suggest_next(result.after, aim):
        console.print(reason, style="yellow", soft_wrap=True, highlight=False)
    if result.after.reaches(aim):
        console.print(f"the aim is reached: {aim:.0%} of answers and of every part can be read")
