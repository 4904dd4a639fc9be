"""What a person sees while a run goes on, and after it.

On a terminal a bar and a table that renew themselves; elsewhere (a log file, CI) a line a step.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from masa_openrlhf.command.invocation import format_command
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.data.summary import describe_problems
from masa_openrlhf.display.columns import (
    COLUMNS,
    EFFICIENT_COLUMNS,
    MAX_ROWS,
    ShownTable,
    describe_columns,
    fit_table,
    format_line,
)
from masa_openrlhf.display.diagnosis import describe_step_time, diagnose_step
from masa_openrlhf.display.summary import (
    MetricChange,
    compare_fifths,
    summarise_decisions,
    summarise_held_out,
)
from masa_openrlhf.run.files import TailReader
from masa_openrlhf.run.folder import TOLD_TO_END, RunFolder, StopRequest

_SILENCE = 60.0
"""Seconds after which a phase is told of again where there is no terminal."""

_LONG_PHASES = {
    "starting the stack": "torch, vLLM and DeepSpeed are imported",
    "starting vLLM and DeepSpeed": "the model is loaded into both: minutes, where it is large",
}
"""Phases that take long, and what happens all the time."""


class RunDisplay:
    """Shows a run, from what it writes into its folder.

    Args:
        folder: the run's folder.
        config: its configuration.
        console: where to; the terminal if not given.
    """

    def __init__(
        self, folder: RunFolder, config: TrainConfig, console: Console | None = None
    ) -> None:
        self._folder, self._config = folder, config
        efficient = config.mode == "masa-efficient"
        self._columns = EFFICIENT_COLUMNS if efficient else COLUMNS
        self._console = console or Console()
        self._events = TailReader(folder.path / "events.jsonl")
        self._metrics = TailReader(folder.path / "metrics.jsonl")
        self._evals = TailReader(folder.path / "eval.jsonl")
        self._rows: list[dict[str, Any]] = []
        self._evaluated: dict[str, Any] | None = None
        self._steps: int | None = None
        self._at_most = False
        self._phase = "starting"
        self._phase_since = self._told_at = time.monotonic()
        self._training_since: float | None = None
        self._part: tuple[str, int] | None = None  # of a step: which, and of which step
        self._stopping: StopRequest | None = None
        self._live: Live | None = None

    def __enter__(self) -> RunDisplay:
        self._console.print(f"Run folder: {self._folder.path}", soft_wrap=True)
        self._console.print(
            f"Log of Ray, vLLM and DeepSpeed: {self._folder.log}", soft_wrap=True, style="dim"
        )
        for reader in (self._events, self._metrics, self._evals):
            reader.skip()  # of a run that is resumed
        if self._console.is_terminal:
            self._live = Live(console=self._console, auto_refresh=False)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    @property
    def training(self) -> bool:
        """Whether training has begun."""
        return self._training_since is not None

    def update(self, stopping: StopRequest | None = None) -> None:
        """Show what has happened since, and that the run was asked to stop, if it was."""
        before = self._phase
        for event in self._events.read():
            self._note(event)
        if self._phase.partition(":")[0] != before.partition(":")[0]:
            self._phase_since = self._told_at = time.monotonic()
        self._tell_long_phase()
        if stopping and stopping is not self._stopping:
            self._say(self._describe_stop(stopping), "yellow")
        self._stopping = stopping
        for row in self._metrics.read():
            self._rows.append(row)
            if self._live is None:
                steps = (
                    f"{'at most ' if self._at_most else ''}{self._steps}" if self._steps else None
                )
                line = format_line(row, self._columns, steps)
                self._console.print(line, soft_wrap=True, highlight=False)
            if len(self._rows) == 1:
                self._tell_first_step(row)
        for row in self._evals.read():
            self._evaluated = row
            if self._live is None and "pass_at_1" in row:
                self._say(f"held out after step {row['step']}: pass@1 {row['pass_at_1']:.3f}")
        if self._live is not None:
            self._live.update(self._picture(), refresh=True)

    def _tell_long_phase(self) -> None:
        """Without a terminal: say once a minute that a phase before training is going on."""
        now = time.monotonic()
        if self._live is None and not self.training and now - self._told_at >= _SILENCE:
            self._told_at = now
            self._say(f"{self._phase}: {format_duration(now - self._phase_since)} so far")

    def _describe_stop(self, request: StopRequest) -> str:
        if not self.training:
            return "stopping at once: training has not begun"
        if self._phase == "saving the model":
            return "training is over: the model is being saved (again: at once, without it)"
        if request is StopRequest.AFTER_STEP:
            return "stopping after this step, with a checkpoint (Ctrl-C again: at once)"
        part, step = self._part or ("rollouts", 1)
        if part == "optimiser step":
            return (
                f"SIGTERM: the weights of step {step} are being made; it is finished and written, "
                "and then the run ends (SIGTERM again: at once)"
            )
        finished = step if part == "evaluation" else step - 1
        if finished == 0:
            return "SIGTERM: ending now, without a checkpoint: no step is finished yet"
        if finished == self._find_last_saved():
            return f"SIGTERM: ending now; step {finished}, the last finished one, has a checkpoint"
        return (
            f"SIGTERM: ending now, with a checkpoint of step {finished}, the last finished one "
            "(SIGTERM again: at once)"
        )

    def _find_last_saved(self) -> int | None:
        """The step of the last checkpoint, this run's or that of the run it goes on from."""
        saved = [e["step"] for e in self._folder.events() if e["event"] == "checkpoint"]
        return saved[-1] if saved else None

    def stopped_process(self, pid: int, title: str) -> None:
        """Say that a process of the run has been stopped for a while, and the run waits for it."""
        self._say(
            f"process {pid} ({title}) has been stopped for a minute or more (SIGSTOP), and the run "
            f"waits for it; `kill -CONT {pid}` has it go on",
            "bold red",
        )

    # -- while it runs -----------------------------------------------------------------------------

    def _note(self, event: dict[str, Any]) -> None:
        name = event["event"]
        if name in ("starting", "preparing"):
            begun = f"{name} {event['what']}"
            if self._live is None and not self._phase.startswith(begun):
                self._say(begun)
            share = f": {event['detail']} ({event['share']:.0%})" if "share" in event else ""
            self._phase = begun + share
        elif name == "problems":
            for line in describe_problems(event, _describe_split(event["split"])):
                self._say(line)
        elif name == "nodes":
            self._say(f"nodes: {', '.join(event['nodes'])}")
        elif name == "waiting":
            self._phase = f"waiting for {event['gpus']} free GPUs"
            self._say(
                f"{self._phase}: {event['free']} of the cluster's {event['total']} are free "
                "(Ctrl-C ends the run)"
            )
        elif name == "training":
            self._steps, self._phase = event["steps"], "training"
            self._at_most = event.get("at_most", False)
            self._training_since = time.monotonic()
        elif name == "phase":
            self._part = event["what"], event["step"]
            self._phase = f"step {event['step']}: {event['what']}"
        elif name == "trained":
            self._part = None
            self._phase = "ending" if event["reason"] == TOLD_TO_END else "saving the model"
        elif name == "checkpoint" and self._stopping:
            self._say(f"checkpoint of step {event['step']} written in {event['seconds']:.1f} s")
        elif name == "resumed":
            self._say(f"going on after step {event['step']}")
        elif name == "weights" and "compared" in event and not event["differing"]:
            self._say(
                f"weights in vLLM: {event['compared']} of {event['compared']} as the policy's"
            )

    def _say(self, text: str, style: str = "dim") -> None:
        self._console.print(text, style=style, soft_wrap=True, highlight=False)

    def _tell_first_step(self, row: dict[str, Any]) -> None:
        """Say where the first step's time went, and what keeps the run from learning."""
        if told := describe_step_time(row):
            self._say(told)
        for finding in diagnose_step(row):
            self._say(f"step {row['step']}: {finding.message}", "yellow")

    def _picture(self) -> Group:
        parts: list[Any] = [self._bar()]
        if not self.training and self._phase in _LONG_PHASES:
            parts.append(Text(_LONG_PHASES[self._phase], style="dim"))
        if self._rows:
            shown = fit_table(self._rows[-MAX_ROWS:], self._columns, self._console.width)
            legend = describe_columns(shown.headings)
            parts += [_make_table(shown), Text(legend, style="dim")]
        if self._evaluated and "pass_at_1" in self._evaluated:
            done = self._evaluated
            parts.append(
                Text(f"held out, after step {done['step']}: pass@1 {done['pass_at_1']:.3f}")
            )
        return Group(*parts)

    def _bar(self) -> Progress:
        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=max(10, min(40, self._console.width // 4))),
            MofNCompleteColumn(),
            TextColumn(self._time_left()),
            console=self._console,
        )
        done = self._rows[-1]["step"] if self._rows else 0
        bar.add_task(
            f"{self._phase}, stopping" if self._stopping else self._phase,
            total=None if self._at_most else self._steps,
            completed=done,
        )
        return bar

    def _time_left(self) -> str:
        """From the middle of the last steps' durations, evaluations and checkpoints included."""
        if not self.training:
            return format_duration(time.monotonic() - self._phase_since)
        if len(self._rows) < 2 or self._steps is None:
            return f"{format_duration(time.monotonic() - self._phase_since)} so far"
        if self._at_most:
            return f"of at most {self._steps} steps"
        times = [row["time"] for row in self._rows[-20:]]
        a_step = (times[-1] - times[0]) / (len(times) - 1)
        return f"{format_duration(a_step * (self._steps - self._rows[-1]['step']))} left"

    # -- after it ----------------------------------------------------------------------------------

    def summary(self) -> None:
        """Say what came of the run."""
        rows, evals = self._folder.metrics(), self._folder.evals()
        decided = summarise_decisions(rows, self._folder.confusion())
        table = Table(box=None, pad_edge=False)
        for heading in ("", "first fifth of the steps", "last fifth"):
            table.add_column(heading, justify="left" if not heading else "right")
        for change in compare_fifths(rows):
            table.add_row(change.title, *_format_change(change))
        parts: list[Any] = [table, *map(Text, decided), Text(_format_cost(rows))]
        parts += map(Text, summarise_held_out(evals))
        self._console.print(Panel(Group(*parts), title="What the run learned", expand=False))
        self._console.print(f"Model: {self._folder.model}", soft_wrap=True)
        self._console.print(
            f"Episodes to read: {self._folder.path / 'episodes'}", soft_wrap=True, style="dim"
        )

    def stopped(self) -> None:
        """Say how to go on."""
        saved = self._find_last_saved()
        if saved is not None:
            self._say(f"stopped; the last checkpoint is of step {saved}. Go on with", "yellow")
            command = format_command("train", "--resume", self._folder.path)
            self._say(f"  {command}", "bold")
        else:
            self._say("stopped before the first checkpoint", "yellow")

    def failed(self, status: int, said: Sequence[str]) -> None:
        """Show the last words of a run that died."""
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        self._say(f"the run {how}. Its last words:", "bold red")
        for line in said:
            self._console.print(f"  {line}", soft_wrap=True, highlight=False, markup=False)
        self._say(f"all of it: {self._folder.log}", "bold")
        self.stopped()


def _make_table(shown: ShownTable) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1))
    for heading in shown.headings:
        table.add_column(heading, justify="right", no_wrap=True)
    for row in shown.rows:
        table.add_row(*row)
    return table


def format_duration(seconds: float) -> str:
    """Return a time as a person says it: 45 s, 3 min, 2 h 05 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def _format_change(change: MetricChange) -> tuple[str, str]:
    first, last = ("–" if v is None else format(v, change.form) for v in change[1:3])
    return first, last


def _format_cost(rows: Sequence[dict[str, Any]]) -> str:
    if not rows:
        return "no step was taken"
    last = rows[-1]
    meta, solution = (last.get(f"ledger/{kind}_tokens", 0.0) for kind in ("meta", "solution"))
    share = meta / (meta + solution) if meta + solution else 0.0
    spent = format_duration(sum(row.get("time/step", 0.0) for row in rows))
    return (
        f"{last['step']} steps in {spent}; tokens made: {solution:,.0f} of solutions, "
        f"{meta:,.0f} of predictions ({share:.0%})"
    )


def _describe_split(split: str) -> str:
    return "train on" if split == "train" else "evaluate on"
