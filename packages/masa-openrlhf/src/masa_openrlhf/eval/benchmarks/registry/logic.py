"""Five logic benchmarks, all in the form that Logic-LLM published them in."""

from __future__ import annotations

from masa_openrlhf.eval.benchmarks.entry import Benchmark, BenchmarkSource
from masa_openrlhf.eval.benchmarks.parsers import choices

PROMPT = (
    "{statement}\n\n{choices}\n\n"
    "Please reason step by step, and put the letter of the right option within \\boxed{}."
)
_LOGIC_LLM = "github.com/teacherpeterpan/Logic-LLM"


def _make_entry(
    name: str, title: str, folder: str, questions: int, licence: str, notes: str = ""
) -> Benchmark:
    return Benchmark(
        name=name,
        title=title,
        family="logic",
        source=BenchmarkSource(
            files=(f"{folder}.dev.json", f"{folder}/dev.json"),
            address=f"{_LOGIC_LLM}, data/{folder}/dev.json",
        ),
        columns=("context", "question", "options", "answer"),
        read=choices.parse_logic,
        prompt=PROMPT,
        grader="choice",
        questions=questions,
        licence=licence,
        protocol=f"files and columns: {_LOGIC_LLM} (Pan et al. 2023), which the authors load",
        notes="The authors put an example of a worked solution in front, ask for no final form and "
        "take a letter from anywhere in the text; here the letter is asked for in a box, and read "
        "from there alone. The choices are shuffled." + notes,
    )


PRONTOQA = _make_entry(
    "prontoqa", "ProntoQA", "ProntoQA", 500, "Apache-2.0 (github.com/asaparov/prontoqa)"
)
PROOFWRITER = _make_entry(
    "proofwriter", "ProofWriter", "ProofWriter", 600, "not confirmed (Allen AI's ProofWriter)"
)
FOLIO = _make_entry("folio", "FOLIO", "FOLIO", 204, "CC-BY-SA-4.0 (github.com/Yale-LILY/FOLIO)")
LOGICAL_DEDUCTION = _make_entry(
    "logicaldeduction",
    "LogicalDeduction",
    "LogicalDeduction",
    300,
    "Apache-2.0 (BIG-bench)",
    " Questions have three, five or seven choices.",
)
AR_LSAT = _make_entry(
    "arlsat",
    "AR-LSAT",
    "AR-LSAT",
    231,
    "MIT (github.com/zhongwanjun/AR-LSAT)",
    " The authors' code loads dev.json, of 231 questions in the original; the number in "
    "Logic-LLM's copy could not be counted here.",
)

LOGIC = (PRONTOQA, PROOFWRITER, FOLIO, LOGICAL_DEDUCTION, AR_LSAT)
