"""Six mathematics benchmarks, the problems of the tiny model, and a user's own."""

from __future__ import annotations

from masa_openrlhf.eval.benchmarks.entry import Benchmark, BenchmarkSource
from masa_openrlhf.eval.benchmarks.parsers import maths

_AUTHORS = "the evaluation that the paper's authors published loads this name and column"
_VERIFIER = "Judged by masa_rewards.AnswerVerifier, as in training."
# github.com/allenai/open-instruct at a5dc9af99d28d543e8a4a745c731cc0b05e340f9 loads these names at
# these revisions, by these columns.
_PINNED = "revision: allenai/open-instruct (scripts/miles/prepare_eopd_math_prompts.py)"

AIME24 = Benchmark(
    name="aime24",
    title="AIME 2024",
    family="maths",
    source=BenchmarkSource(
        files=("aime2024.parquet",),
        hub="HuggingFaceH4/aime_2024",
        # github.com/marin-community/marin at ae611dfc3a8b1fdf0d6b20640807dd9c1da0fba1,
        # lib/taskcompendium/src/taskcompendium/pipeline/datasets/aime24.py, by these columns
        revision="2fe88a2f1091d5048c0f36abc874fb997b3dd99a",
        split="train",
    ),
    columns=("problem", "answer"),
    read=maths.parse_columns("problem", "answer"),
    prompt="",
    grader="maths",
    questions=30,
    licence="not stated; the problems are the MAA's",
    protocol=f"{_AUTHORS}; so does lighteval 0.13.0 (tasks/aime); revision: marin-community/marin "
    "(taskcompendium/pipeline/datasets/aime24.py)",
    notes=_VERIFIER,
)

AIME25 = Benchmark(
    name="aime25",
    title="AIME 2025",
    family="maths",
    source=BenchmarkSource(
        files=("aime2025.parquet", "aime25.parquet"),
        hub="math-ai/aime25",
        revision="563bb8404243c5f09de6ec262f2db674fe5bce9b",
    ),
    columns=(),
    read=maths.make_verl_parser("problem", "answer"),
    prompt="",
    grader="maths",
    questions=30,
    licence="not stated; the problems are the MAA's",
    protocol="name, revision and columns: inspect-evals 0.26.0 (aime2025)",
    notes=f"{_VERIFIER} A local file may have verl's form too, as the authors' has.",
)

AMC23 = Benchmark(
    name="amc23",
    title="AMC 2023",
    family="maths",
    source=BenchmarkSource(
        files=("amc23.parquet", "amc2023.parquet"),
        hub="math-ai/amc23",
        revision="80815d37005feb82cd7f8fbc6901d5d3eff43057",  # see _PINNED
    ),
    columns=(),
    read=maths.make_verl_parser("question", "answer"),
    prompt="",
    grader="maths",
    questions=40,
    licence="not stated; the problems are the MAA's",
    protocol="the authors read a parquet file of their own; name and columns as public code that "
    f"evaluates on AMC 2023 loads them; {_PINNED}",
    notes=_VERIFIER,
)

MATH500 = Benchmark(
    name="math500",
    title="MATH-500",
    family="maths",
    source=BenchmarkSource(
        files=("math500.parquet", "math500.jsonl"),
        hub="HuggingFaceH4/MATH-500",
        revision="6e4ed1a2a79af7d8630a6b768ec859cb5af4d3be",  # see _PINNED
    ),
    columns=("problem", "answer"),
    read=maths.parse_columns("problem", "answer", id_key="unique_id"),
    prompt="",
    grader="maths",
    questions=500,
    licence="MIT (MATH)",
    protocol=f"{_AUTHORS}; {_PINNED}",
    notes=_VERIFIER,
)

MINERVA = Benchmark(
    name="minerva",
    title="Minerva",
    family="maths",
    source=BenchmarkSource(
        files=("minerva.parquet", "minervamath.parquet"),
        hub="math-ai/minervamath",
        revision="ee46ddc498933b1977577953250ca5c66be64f96",  # see _PINNED
    ),
    columns=("question", "answer"),
    read=maths.parse_minerva,
    prompt="",
    grader="maths",
    questions=272,
    licence="not stated; OCWCourses, of Lewkowycz et al. 2022",
    protocol=f"{_AUTHORS}; {_PINNED}",
    notes=f"{_VERIFIER} Golds as 2.75e11 are read as 2.75 x 10^11, which the verifier would take "
    "for a letter e.",
)

OLYMPIAD = Benchmark(
    name="olympiad",
    title="OlympiadBench",
    family="maths",
    source=BenchmarkSource(
        files=("olympiad.parquet", "olympiadbench.parquet"),
        hub="math-ai/olympiadbench",
        revision="4faaf1e6ec17d11a4218a9bf4c049ecaf954dd84",  # see _PINNED
    ),
    columns=("question", "final_answer"),
    read=maths.parse_olympiad,
    prompt="",
    grader="maths",
    questions=674,
    licence="Apache-2.0 (OlympiadBench)",
    protocol=f"{_AUTHORS}: the open-ended, text-only, English mathematics; {_PINNED}",
    notes=f"{_VERIFIER} The authors take the first of several answers for the gold; here all are "
    "asked for.",
)

MATHS = (AIME24, AIME25, AMC23, MATH500, MINERVA, OLYMPIAD)

TINY = Benchmark(
    name="tiny",
    title="tiny",
    family="tiny",
    source=BenchmarkSource(files=(), address="masa_openrlhf.tiny, made on the spot"),
    columns=("problem",),
    read=maths.parse_tiny,
    prompt="",
    grader="maths",
    questions=64,
    licence="Apache-2.0",
    protocol="masa_openrlhf.tiny",
    notes="None of the paper's: it shows, without a GPU, that the command works.",
)

OWN = Benchmark(
    name="own",
    title="own problems",
    family="own",
    source=BenchmarkSource(files=(), address="--problems"),
    columns=(),
    read=maths.parse_tiny,
    prompt="",
    grader="own",
    questions=0,
    licence="the user's",
    protocol="what --problems names, read as data.train is",
)
