"""Four science benchmarks."""

from __future__ import annotations

from masa_openrlhf.eval.benchmarks.entry import Benchmark, BenchmarkSource
from masa_openrlhf.eval.benchmarks.parsers import choices, science
from masa_openrlhf.eval.benchmarks.registry.logic import PROMPT

_AUTHORS = "the evaluation that the paper's authors published loads this name"

GPQA = Benchmark(
    name="gpqa",
    title="GPQA-Diamond",
    family="science",
    source=BenchmarkSource(
        files=("gpqa_diamond.csv.jsonl", "gpqa_diamond.parquet", "gpqa_diamond.jsonl"),
        hub="Idavidrein/gpqa",
        revision="5233cd1db58884ed0bf678c7c6be731722a23f84",
        subset="gpqa_diamond",
        split="train",
    ),
    columns=("Question", "Correct Answer", *(f"Incorrect Answer {i}" for i in (1, 2, 3))),
    read=choices.parse_gpqa,
    prompt=PROMPT,
    grader="choice",
    questions=198,
    licence="CC-BY-4.0; one must agree on the hub not to publish examples",
    protocol=f"{_AUTHORS}, subset and columns; revision: inspect-evals 0.26.0",
    notes="The authors seed the same shuffle anew for each question, so that the right letter is "
    "always the same; here each question has an order of its own.",
)

RBENCH = Benchmark(
    name="rbench",
    title="R-Bench",
    family="science",
    source=BenchmarkSource(
        files=("rbench-t_en.parquet",),
        hub="R-Bench/R-Bench",
        revision="c0e92a6d90dad980ea51a47af64c12ec67b670ce",
        subset="rbench-t_en",
    ),
    columns=("question", "A", "B", "C", "D", "answer"),
    read=choices.make_letter_parser(*"ABCDEF"),
    prompt=PROMPT,
    grader="choice",
    questions=1094,
    licence="Apache-2.0",
    protocol=f"{_AUTHORS} and subset (text, English); columns: OpenCompass' RBenchDataset",
    notes='A choice that another one names by its letter ("both A and B") is not put right when '
    "they are shuffled; how many there are could not be counted here.",
)

ARC = Benchmark(
    name="arc",
    title="ARC-Challenge",
    family="science",
    source=BenchmarkSource(
        files=("arc_challenge.parquet",),
        hub="allenai/ai2_arc",
        revision="210d026faf9955653af8916fad021475a3f00453",
        subset="ARC-Challenge",
    ),
    columns=("question", "choices", "answerKey"),
    read=choices.parse_arc,
    prompt=PROMPT,
    grader="choice",
    questions=1172,
    licence="CC-BY-SA-4.0",
    protocol=f"{_AUTHORS}, subset and columns; revision: inspect-evals 0.26.0",
    notes="Some questions have three or five choices, some are labelled 1 to 4.",
)

SCIBENCH = Benchmark(
    name="scibench",
    title="SciBench",
    family="science",
    source=BenchmarkSource(
        files=("scibench.parquet",),
        hub="xw27/scibench",
        # github.com/allenai/olmo-eval at 11273e45869f20717d03e51a890196d177fb3313,
        # src/olmo_eval/evals/tasks/scibench.py, by these columns, with 692 rows
        revision="93931252bc1b71d495e67390235940643d926958",
        split="train",
    ),
    columns=("problem_text", "answer_number", "unit"),
    read=science.parse_scibench,
    prompt="{statement}\n\nPlease reason step by step, and put your final answer within \\boxed{}, "
    "as a number without its unit.",
    grader="number",
    questions=692,
    licence="MIT (github.com/mandyyyyii/scibench)",
    protocol=f"{_AUTHORS} and column; relative tolerance 0.05 and the unit within the question: "
    "github.com/mandyyyyii/scibench; revision: allenai/olmo-eval (evals/tasks/scibench.py)",
    notes="The authors compare by value without a tolerance and name no unit, though golds are "
    "given in units such as 10^11 J.",
)

SCIENCE = (GPQA, RBENCH, ARC, SCIBENCH)
