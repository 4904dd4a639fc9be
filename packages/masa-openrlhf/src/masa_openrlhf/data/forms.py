"""The forms in which data sets of mathematics are published, and how a row of each is read.

``python -m masa_openrlhf.data.forms`` prints the table that ``docs/guides/data.md`` has.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, NamedTuple

GoldPlace = Literal["whole", "marked", "boxed"]
"""Where in its column a gold answer stands.

- "whole": it is all of it;
- "marked": behind the last "####"; where there is none in the last box; else it is all of it;
- "boxed": in the last box of a worked solution, without which there is none.
"""

_PLACE_WORDS: dict[GoldPlace, str] = {
    "whole": "all of the column",
    "marked": "behind the last `####`, else in a `\\boxed{}`, else all of it",
    "boxed": "in the last `\\boxed{}`",
}


class HubName(NamedTuple):
    """A data set on the hub, and the subset (configuration) taken where none is named."""

    name: str
    subset: str | None = None


class DataForm(NamedTuple):
    """How a data set's rows are read.

    Attributes:
        name: what people call it.
        hubs: where it lies on the hub.
        told_by: columns that a set of this form has, dots for nesting.
        problem: column of the statement: text, or chat messages of which the last user's is it.
        answer: column of the gold answer.
        gold: where in that column the gold is.
        id: column of the id; None: the row's number.
    """

    name: str
    hubs: tuple[HubName, ...]
    told_by: tuple[str, ...]
    problem: str
    answer: str
    gold: GoldPlace = "whole"
    id: str | None = None


_GOLD = "reward_model.ground_truth"

FORMS: tuple[DataForm, ...] = (
    DataForm(
        "ORZ",
        (
            HubName("Open-Reasoner-Zero/orz_math_57k_collection"),
            HubName("Open-Reasoner-Zero/orz_math_72k_collection_extended"),
        ),
        ("0.from", "0.value", "1.from", "1.ground_truth.value"),
        "0.value",
        "1.ground_truth.value",
    ),
    DataForm("verl, `target`", (), ("prompt", f"{_GOLD}.target"), "prompt", f"{_GOLD}.target"),
    DataForm("verl, `answer`", (), ("prompt", f"{_GOLD}.answer"), "prompt", f"{_GOLD}.answer"),
    DataForm(
        "DAPO-17k and verl's own files",
        (
            HubName("BytedTsinghua-SIA/DAPO-Math-17k"),
            HubName("open-r1/DAPO-Math-17k-Processed", "all"),
        ),
        ("prompt", _GOLD),
        "prompt",
        _GOLD,
    ),
    DataForm(
        "Open-R1",
        (HubName("open-r1/OpenR1-Math-220k", "default"),),
        ("problem", "answer", "generations"),
        "problem",
        "answer",
    ),
    DataForm(
        "Big-Math",
        (HubName("SynthLabsAI/Big-Math-RL-Verified"),),
        ("problem", "answer", "llama8b_solve_rate"),
        "problem",
        "answer",
    ),
    DataForm(
        "NuminaMath-1.5",
        (HubName("AI-MO/NuminaMath-1.5"),),
        ("problem", "answer", "question_type"),
        "problem",
        "answer",
    ),
    DataForm(
        "MATH-500",
        (HubName("HuggingFaceH4/MATH-500"),),
        ("problem", "answer", "unique_id"),
        "problem",
        "answer",
        id="unique_id",
    ),
    DataForm(
        "DeepScaleR",
        (HubName("agentica-org/DeepScaleR-Preview-Dataset"),),
        ("problem", "answer", "solution"),
        "problem",
        "answer",
    ),
    DataForm("problem and answer", (), ("problem", "answer"), "problem", "answer", "marked"),
    DataForm(
        "MATH",
        (
            HubName("DigitalLearningGmbH/MATH-lighteval", "default"),
            HubName("EleutherAI/hendrycks_math"),
        ),
        ("problem", "solution", "level", "type"),
        "problem",
        "solution",
        "boxed",
    ),
    DataForm(
        "NuminaMath",
        (HubName("AI-MO/NuminaMath-CoT"), HubName("AI-MO/NuminaMath-TIR")),
        ("problem", "solution"),
        "problem",
        "solution",
        "boxed",
    ),
    DataForm(
        "GSM8K",
        (HubName("openai/gsm8k", "main"),),
        ("question", "answer"),
        "question",
        "answer",
        "marked",
    ),
)
"""In the order in which they are tried: the first whose columns are there is taken."""


def find_form(columns: Collection[str]) -> DataForm | None:
    """Return the first form whose columns are all there; None where no form has such."""
    return next((form for form in FORMS if set(form.told_by) <= set(columns)), None)


def find_subset(name: str) -> str | None:
    """Return the subset of a hub's data set taken where none is named; None: the hub's default."""
    hubs = (hub for form in FORMS for hub in form.hubs)
    return next((hub.subset for hub in hubs if hub.name == name), None)


def render_table() -> str:
    """Return the forms as a table of the docs."""
    lines = [
        "| form | on the hub | recognised by its columns | statement | gold | id |",
        "|---|---|---|---|---|---|",
    ]
    lines += map(_render_row, FORMS)
    return "\n".join(lines) + "\n"


def _render_row(form: DataForm) -> str:
    cells = (
        form.name,
        ", ".join(map(_render_hub, form.hubs)) or "–",
        ", ".join(f"`{column}`" for column in form.told_by),
        f"`{form.problem}`",
        f"`{form.answer}`, {_PLACE_WORDS[form.gold]}",
        f"`{form.id}`" if form.id else "–",
    )
    return f"| {' | '.join(cells)} |"


def _render_hub(hub: HubName) -> str:
    return f"`{hub.name}`" + (f" (subset `{hub.subset}`)" if hub.subset else "")


if __name__ == "__main__":
    print(render_table(), end="")
