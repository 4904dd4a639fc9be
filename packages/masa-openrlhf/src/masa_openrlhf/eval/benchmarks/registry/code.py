"""Four coding benchmarks."""

from __future__ import annotations

from masa_openrlhf.eval.benchmarks.entry import Benchmark, BenchmarkSource
from masa_openrlhf.eval.benchmarks.parsers import code

_FENCED = "Put the whole program into one block that begins with ```python and ends with ```."
_OURS = (
    "Programs run in the sandbox of this package, and the tests in another one, out of their "
    "reach: see docs/concepts/sandbox.md for why not in the published harness."
)

EVALPLUS = Benchmark(
    name="evalplus",
    title="EvalPlus",
    family="code",
    source=BenchmarkSource(
        files=("evalplus.jsonl", "evalplus.parquet"),
        hub="evalplus/humanevalplus",
        # both: github.com/zhangshuibai/CDLM at cc9cdee7eb29623ec4d3eb7e03b686cfd9aa88ab,
        # evaluation/codegen/inputs/INPUTS.json, with 164 and 378 rows
        revision="d32357cf319e50e9c8d8dab5ea876c72b0fd321b",
        more_hubs=(("evalplus/mbppplus", "b2d74c91837c3f2a20c1299ae98133cbe7cfa077"),),
    ),
    columns=("task_id", "prompt", "test"),
    read=code.parse_evalplus,
    prompt="Write a Python function that does what is described.\n\n{statement}{tests}"
    f"\n\n{_FENCED}",
    grader="tests",
    questions=542,
    licence="Apache-2.0",
    protocol="github.com/evalplus/evalplus 0.3.1; columns of the hub's data, whose `test` holds "
    "base and extra inputs; revisions: zhangshuibai/CDLM (evaluation/codegen/inputs/INPUTS.json)",
    notes="HumanEval+ (164) and MBPP+ (378) together, since the paper does not say which; one "
    f"local file may hold rows of both. {_OURS} By MedGm/Locali (evaluation/tasks/codegen.py) the "
    "test of HumanEval/32 fails for every program at this revision, and is left out there; here it "
    "is asked, and wrong for every model: 1 of 542.",
)

CRUX_O = Benchmark(
    name="cruxo",
    title="CRUX-O",
    family="code",
    source=BenchmarkSource(
        files=("cruxeval.jsonl", "cruxeval.parquet"),
        hub="cruxeval-org/cruxeval",
        # github.com/MedGm/Locali at 3b460753649d4bddadec96d331866fdc52c68d64,
        # evaluation/tasks/cruxeval.py, by these columns
        revision="b96af0450242eb4da433032b90998f25588a5d0f",
    ),
    columns=("code", "input", "output"),
    read=code.parse_cruxeval,
    prompt="Here is a Python function, and an assertion whose right side is missing:\n\n"
    "[PYTHON]\n{statement}\n[/PYTHON]\n\nRun the code in your mind, step by step. Then write the "
    "whole assertion between [ANSWER] and [/ANSWER], with a literal in place of ??, as "
    '[ANSWER]assert f("hi") == "bhihia"[/ANSWER].',
    grader="literal",
    questions=800,
    licence="MIT",
    protocol="github.com/facebookresearch/cruxeval, output prediction with chain of thought; "
    "revision: MedGm/Locali (evaluation/tasks/cruxeval.py)",
    notes="The published code executes the assertion; here both literals are read and compared "
    "with their types, so that 1 is not True. The prompt is worded anew, without examples.",
)

MBPP = Benchmark(
    name="mbpp",
    title="MBPP",
    family="code",
    source=BenchmarkSource(
        files=("mbpp_test.jsonl", "mbpp.jsonl"),
        hub="google-research-datasets/mbpp",
        revision="4bb6404fdc6cacfda99d4ac4205087b89d32030c",
        subset="full",
    ),
    columns=("task_id", "code"),
    read=code.parse_mbpp,
    prompt="{statement}\n\nYour code must pass these tests:\n\n{tests}\n\n" + _FENCED,
    grader="tests",
    questions=500,
    licence="CC-BY-4.0",
    protocol="Austin et al. 2021: the 500 test problems, the three tests shown; revision: "
    "inspect-evals 0.26.0",
    notes=f"The authors put three solved problems in front; here none. {_OURS}",
)

LIVECODEBENCH = Benchmark(
    name="livecodebench",
    title="LiveCodeBench",
    family="code",
    source=BenchmarkSource(
        files=("livecodebench.jsonl",),
        hub="livecodebench/code_generation_lite",
        revision="0fe84c3912ea0c4d4a78037083943e8f0c4dd505",
        hub_files=("test.jsonl",),
    ),
    columns=("question_id", "question_content", "public_test_cases", "private_test_cases"),
    read=code.parse_livecodebench,
    prompt="{statement}\n\n{form}\n" + _FENCED,
    grader="cases",
    questions=400,
    licence="not confirmed; the problems are LeetCode's, AtCoder's and Codeforces'",
    protocol="github.com/LiveCodeBench/LiveCodeBench: columns, unpacking, imports given, "
    "comparison of outputs, 6 s a case",
    notes="release_v1; which release the paper used is not stated. The hub's loading script is not "
    f"run: datasets no longer does, so its file is read. {_OURS}",
)

CODE = (EVALPLUS, CRUX_O, MBPP, LIVECODEBENCH)
