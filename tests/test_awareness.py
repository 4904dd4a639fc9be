"""Awareness before training: figures by hand, and a page that is that of its record."""

import json
from pathlib import Path

import pytest
from masa_benchmarks.awareness import __main__ as awareness
from masa_benchmarks.awareness.figures import compute_figures
from masa_benchmarks.awareness.problems import write_problems
from masa_benchmarks.awareness.record import ASKING, ModelRecord, QuestionRecord, read_evaluation
from masa_benchmarks.markdown import fill_tables
from masa_control import Problem
from masa_openrlhf.eval.engine.model_source import read_likeness

ROOT = Path(__file__).parents[1]
RECORD = ROOT / "docs" / "data" / "awareness.json"
PAGE = ROOT / "docs" / "results" / "awareness.md"


def make_question(name, right, rates, **other):
    fields = {
        "lengths": (100,) * sum(right),
        "solution_tokens": 100 * len(right),
        "truncated": 0,
        "unparsable": 0,
        "predicted_lengths": (None,) * len(rates),
        "notions_read": 0,
        "meta_tokens": 10 * len(rates),
    }
    return QuestionRecord(id=name, right=right, rates=rates, **(fields | other))


QUESTIONS = (
    make_question("a", (True, True), (1.0, 1.0), predicted_lengths=(150, None), notions_read=2),
    make_question("b", (False, False), (0.0, 0.5), truncated=2, unparsable=1),
    make_question("c", (True, False), (0.5, None)),
    make_question("d", (False, False), (None, None)),
)


def test_figures_worked_out_by_hand():
    found = compute_figures(ModelRecord(name="m", settings={}, questions=QUESTIONS))
    assert found.questions == 4
    assert found.pass_at_1.value == pytest.approx(1.5 / 4)
    assert (found.solved_sometimes, found.never) == (0.25, 0.5)
    assert (found.truncated, found.unparsable) == (2 / 8, 1 / 8)
    assert found.readable == (5 / 8, 1 / 8, 2 / 8)
    assert found.predicted == pytest.approx(3.0 / 5)
    # Of a, b and c: 0; (0 + 0.25) / 2; 0.25.
    assert found.brier.value == pytest.approx((0 + 0.125 + 0.25) / 3)
    # Their mean pass rate is a half, each outcome is a half from it.
    assert found.brier_of_mean == pytest.approx(0.25)
    # (1, 1), (0.25, 0), (0.5, 0.5).
    assert found.correlation.value == pytest.approx(0.98198, abs=1e-5)
    assert found.length_error == pytest.approx(0.5)
    # The gate reads a, b and c (half of the predictions of c), and skips a alone.
    assert (found.gate.skipped, found.gate.both, found.gate.to_skip) == (1, 1, 2)
    assert found.dead_tokens == pytest.approx(600 / 800)
    assert found.saved_tokens == pytest.approx((200 - 80) / 800)


def test_a_model_whose_predictions_cannot_be_read():
    questions = (make_question("a", (True, False), (None,)), make_question("b", (False,), (None,)))
    found = compute_figures(ModelRecord(name="m", settings={}, questions=questions))
    assert found.brier is found.brier_of_mean is found.predicted is found.length_error is None
    assert found.correlation.value is None
    assert found.gate.skipped == 0
    assert found.saved_tokens < 0


def test_an_evaluation_is_shortened(tmp_path):
    sample = {"answer": "4", "detail": "", "tokens": 7, "truncated": False, "text": "\\boxed{4}"}
    wrong = sample | {"status": "unparsable", "answer": None, "tokens": 9, "truncated": True}
    failed = sample | {"status": "timeout", "answer": None, "tokens": 5}
    scale = read_likeness(str(ASKING)).meta_prompt.scale
    said = json.dumps({"ideas": ["sum"], "right": scale, "tokens": 40})
    row = {
        "id": "gsm8k/1",
        "prompt": "2+2",
        "gold": "4",
        "right": 1,
        "statement": "2+2",
        "samples": [sample | {"status": "correct"}, wrong, failed],
        "predictions": [
            {"text": said, "tokens": 12, "truncated": False},
            {"text": "?", "tokens": 3, "truncated": False},
        ],
        "prompt_tokens": 4,
        "seed": 1,
    }
    (tmp_path / "records").mkdir()
    (tmp_path / "records" / "own.jsonl").write_text(json.dumps(row) + "\n")
    settings = dict.fromkeys(
        ("samples", "temperature", "top_p", "max_tokens", "seed", "prediction"), 1
    )
    (tmp_path / "results.json").write_text(json.dumps({"settings": settings}))
    (found,) = read_evaluation(tmp_path, "m").questions
    assert found == QuestionRecord(
        id="gsm8k/1",
        right=(True, False),
        lengths=(7,),
        solution_tokens=21,
        truncated=1,
        unparsable=1,
        rates=(1.0, None),
        predicted_lengths=(40, None),
        notions_read=1,
        meta_tokens=15,
    )


def test_problems_are_written_as_eval_reads_them(tmp_path):
    file = tmp_path / "problems.jsonl"
    write_problems(file, [Problem(id="math/3", text="2+2", answer="4")])
    assert json.loads(file.read_text()) == {"id": "math/3", "problem": "2+2", "answer": "4"}


def test_the_page_holds_the_table_of_the_record():
    page = PAGE.read_text(encoding="utf-8")
    assert page == fill_tables(page, {"awareness": awareness.render_record(RECORD)})
