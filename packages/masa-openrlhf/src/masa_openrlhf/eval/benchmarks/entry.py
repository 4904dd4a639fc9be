"""What the entry of a benchmark says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Family = Literal["maths", "logic", "science", "code", "tiny", "own"]
BenchmarkRow = Mapping[str, Any]


@dataclass(frozen=True)
class BenchmarkItem:
    """A row, read: a question before its choices are shuffled and its prompt is written.

    Attributes:
        id: unique within the benchmark.
        statement: the problem.
        gold: the right answer; of a multiple-choice question the text of the right choice's place
            is in `right`, and this is empty.
        options: texts of the choices, in the source's order.
        right: place of the right choice, from 0.
        fields: further texts that the prompt names.
        tests: what code is held to.
        scorer: the scorer of the problem's task, in JSON; "" where the gold is compared.
    """

    id: str
    statement: str
    gold: str = ""
    options: tuple[str, ...] = ()
    right: int = -1
    fields: Mapping[str, str] | None = None
    tests: Mapping[str, Any] | None = None
    scorer: str = ""


@dataclass(frozen=True)
class BenchmarkSource:
    """Where the questions lie.

    Attributes:
        files: names that are looked for in the folder of local files, in this order.
        hub: name on the hub; None where it is not there.
        revision: commit on the hub; None where none could be confirmed, and then the newest.
        subset: configuration on the hub.
        split: split on the hub.
        more_hubs: names on the hub whose rows follow, each with its commit; the split is the same.
        hub_files: files within the hub's repository, where it has no form that datasets reads.
        address: where else it comes from.
    """

    files: tuple[str, ...]
    hub: str | None = None
    revision: str | None = None
    subset: str | None = None
    split: str = "test"
    more_hubs: tuple[tuple[str, str], ...] = ()
    hub_files: tuple[str, ...] = ()
    address: str = ""


@dataclass(frozen=True)
class Benchmark:
    """One benchmark: where it lies, how it is asked, how it is judged.

    Attributes:
        name: as the command line has it.
        title: as the paper has it.
        family: maths, logic, science, code; tiny is the embedded one, own what a user names.
        source: where the questions lie.
        columns: that a row must have.
        read: makes an item of a row and its number.
        prompt: {statement}, {choices}, and the item's own fields stand for themselves. For maths
            "" : the solution prompt of the run.
        grader: name in `graders`.
        questions: how many there are, as published.
        licence: of the data, as published.
        protocol: where the columns, the prompt's form and the way of judging come from.
        notes: what differs from there, and why; what could not be confirmed.
    """

    name: str
    title: str
    family: Family
    source: BenchmarkSource
    columns: tuple[str, ...]
    read: Callable[[BenchmarkRow, int], BenchmarkItem]
    prompt: str
    grader: Literal["maths", "choice", "number", "literal", "tests", "cases", "own"]
    questions: int
    licence: str
    protocol: str
    notes: str = ""
