"""Figures of records made by hand: of an evaluation, of self-knowledge, of two models."""

import io
import json
from html.parser import HTMLParser

import pytest
from masa_openrlhf.eval.config import EvaluationConfig
from masa_openrlhf.eval.engine.messages import GeneratedAnswer
from masa_openrlhf.eval.errors import EvalError
from masa_openrlhf.eval.folder import EvalFolder
from masa_openrlhf.eval.question import Question
from masa_openrlhf.eval.render.html import render_html
from masa_openrlhf.eval.render.terminal import render_comparison_terminal, render_terminal
from masa_openrlhf.eval.results.comparison import check_comparable, compare_evaluations
from masa_openrlhf.eval.results.meta_awareness import compute_meta_metrics
from masa_openrlhf.eval.results.metrics import (
    average_pass_rates,
    compute_metrics,
    compute_pass_rates,
)
from masa_openrlhf.eval.results.records import make_left_out, make_record
from masa_openrlhf.eval.results.summary import Results, compute_results
from masa_rewards import MetaPrompt, Verdict
from rich.console import Console

from tests.masa_openrlhf.eval.fakes import make_questions

PROMPT = MetaPrompt(min_length=1, max_length=1000)
STATUS = {"r": "correct", "w": "incorrect", "?": "unparsable", "!": "timeout"}


def line(name, samples, predictions=(), *, gold="4", lengths=None, truncated=()):
    lengths = lengths or [10] * len(samples)
    texts = [json.dumps(p) if isinstance(p, dict) else p for p in predictions]
    return make_record(
        Question(name, f"of {name}", "p", gold),
        [
            GeneratedAnswer(text=mark, tokens=lengths[i], truncated=i in truncated)
            for i, mark in enumerate(samples)
        ],
        [Verdict(status=STATUS[mark], answer=mark) for mark in samples],
        [GeneratedAnswer(text=text, tokens=5, truncated=False) for text in texts],
        prompt_tokens=100,
        seed=0,
    )


def says(rate, length):
    return {"pass_rate": rate, "solution_length": length, "math_notion": ["x"]}


RECORDS = [
    line("q0", "rrrr", [says(8, 10), says(8, 20)]),
    line("q1", "rw?w", [says(2, 15), "no idea"], lengths=[10, 20, 30, 40], truncated=(3,)),
    line("q2", "wwww", [says(0, 10), says(0, 10)]),
    line("q3", "!!r!"),
    line("q4", "!!!!"),
    make_left_out(Question("q5", "of q5", "p", "4"), prompt_tokens=900, room=800),
]


def test_figures_by_hand():
    found = compute_metrics(make_questions(7).benchmark, RECORDS, [1, 2, 4], unusable=1)
    assert found.questions == 4
    assert found.pass_at["1"].value == (1 + 0.25 + 0 + 1) / 4
    assert found.pass_at["2"].value == (1 + 0.5 + 0) / 3
    assert found.pass_at["4"].value == (1 + 1 + 0) / 3
    assert found.too_few == {"2": 1, "4": 1}
    assert found.left_out == {
        "prompt too long": 1,
        "no answer could be judged": 1,
        "row cannot be used": 1,
    }
    assert (found.samples, found.judge_failed) == (13, 7)
    assert found.unparsable == 1 / 13
    assert found.truncated == 1 / 20
    assert found.tokens == 4 * 40 + 100
    assert found.mean_tokens == 13
    assert found.prompt_tokens == 1400
    assert found.prediction_tokens == 30
    assert found.spread == (1, None, 0.75, 0.75)  # one question has but one judged answer


def test_figures_of_nothing():
    found = compute_metrics(make_questions(3).benchmark, [], [1])
    assert (found.questions, found.pass_at["1"].value, found.unparsable) == (0, None, None)
    assert average_pass_rates([found]) is None


def test_an_answer_that_could_not_be_judged_is_in_no_rate():
    assert compute_pass_rates(RECORDS) == {"q0": 1.0, "q1": 0.25, "q2": 0.0, "q3": 1.0}


def test_self_knowledge_by_hand():
    """Predicted 1, 1 of 1; 1/4 of 1/4; 0, 0 of 0: exact. Brier is what the answers vary."""
    found = compute_meta_metrics(RECORDS, PROMPT, max_std=0.1)
    assert (found.questions, found.predictions) == (3, 6)
    assert found.unreadable["pass_rate"] == {"no_json": 1}
    assert found.pass_rate.error.absolute == 0
    assert found.pass_rate.error.brier == pytest.approx((3 / 16) / 5)
    assert found.brier.value == pytest.approx((0 + 3 / 16 + 0) / 3)
    assert found.pass_rate.correlation == pytest.approx(1)
    # Right answers are 10 long: 10, 20 and 15 are off by 0, 1 and 1/2; q2 has no right one.
    assert found.length_error == 0.5
    assert (found.length.within, found.length.above, found.length.no_correct) == (1, 2, 2)
    assert (found.gate.skipped, found.gate.to_skip, found.gate.both) == (2, 2, 2)
    assert found.gate.f1 == 1


def test_self_knowledge_of_a_model_that_is_sure_and_wrong():
    records = [line("a", "ww", [says(8, 5)] * 2), line("b", "rw", [says(8, 5)] * 2)]
    found = compute_meta_metrics(records, PROMPT, max_std=0.1)
    assert found.brier.value == 0.75
    assert found.pass_rate.correlation is None  # it always says the same
    assert (found.gate.precision, found.gate.recall) == (0.5, 1.0)


def test_self_knowledge_of_nothing():
    found = compute_meta_metrics([line("a", "rw")], PROMPT, max_std=0.1)
    assert (found.questions, found.brier.value, found.length_error, found.gate.f1) == (
        0,
        None,
        None,
        None,
    )


def written(path, records, model="m", **settings):
    folder = EvalFolder(path)
    folder.create(EvaluationConfig(model=model, samples=4, **settings))
    for record in records:
        folder.records("made").append(record)
    return folder


def test_two_models_are_compared_by_question(tmp_path):
    before = written(tmp_path / "a", [line("q0", "rw"), line("q1", "ww"), line("q2", "rr")], "old")
    now = written(
        tmp_path / "b",
        [line("q1", "rw"), line("q0", "rr"), line("q3", "ww")],
        temperature=1.0,
        verifier={"extraction": "anchored"},
    )
    found = compare_evaluations(now, before, ["made", "other"])
    assert found.model_before == "old"
    assert found.settings == {
        "temperature": (0.6, 1.0),
        "verifier.extraction": ("boxed", "anchored"),
    }
    (one,) = found.benchmarks
    assert (one.questions, one.unpaired) == (2, 2)  # q2 is old, q3 is new
    assert (one.before, one.now, one.better, one.worse) == (0.25, 0.75, 2, 0)
    assert one.gain == (0.5, 0.5, 0.5)
    with pytest.raises(EvalError, match="has no records of other"):
        compare_evaluations(now, before, ["other"])
    with pytest.raises(EvalError, match="is not an evaluation's folder"):
        compare_evaluations(now, EvalFolder(tmp_path), ["made"])


def test_questions_that_were_asked_otherwise_are_not_compared(tmp_path):
    before = written(tmp_path / "a", [line("q0", "rw"), line("q2", "rr")], seed=3)
    now = written(tmp_path / "b", [line("q0", "rw"), line("q2", "rr", gold="5")])
    said = (
        r"made: 1 questions, as 'q2', have another .* gold in .*a \(seed 3\).*same data and --seed"
    )
    with pytest.raises(EvalError, match=said):
        compare_evaluations(now, before, ["made"])
    with pytest.raises(EvalError, match="made: 2 questions, as 'q0'"):
        check_comparable(now, before, [make_questions(3)])  # before any is asked
    with pytest.raises(EvalError, match="no records of other: there is nothing to compare"):
        check_comparable(now, before, [make_questions(3, "other")])


@pytest.fixture
def results(tmp_path):
    folder = written(tmp_path / "e", RECORDS, "<b>model</b>", meta=True, pass_at=(1, 4))
    config = folder.read_settings()
    folder.note_unlimited(["no network: <x>"])
    folder.note_unlimited([])  # gone on with where every limit holds
    return compute_results(config, folder, [make_questions(6)], PROMPT), folder


def test_results_hold_all_that_they_were_got_with(results):
    found, _ = results
    assert found.complete
    assert found.settings["seed"] == 0
    assert found.versions["python"]
    assert found.versions["masa-openrlhf"]
    assert found.sources == {"made": "made here"}
    assert found.means == {"maths": 0.5625}
    text = json.dumps(found.model_dump(mode="json"))
    assert Results.model_validate_json(text) == found


def test_an_evaluation_that_was_stopped_says_so(tmp_path):
    folder = written(tmp_path / "e", RECORDS[:2])
    found = compute_results(folder.read_settings(), folder, [make_questions(6)], PROMPT)
    assert not found.complete
    assert found.benchmarks[0].questions == 2
    assert "not every question has been asked" in render_html(found)


def test_lines_of_questions_that_are_no_longer_asked_do_not_count(tmp_path):
    folder = written(tmp_path / "e", RECORDS)
    found = compute_results(folder.read_settings(), folder, [make_questions(2)], PROMPT)
    assert found.benchmarks[0].questions == 2


def test_the_table_says_what_is_not_in_the_figures(results):
    out = io.StringIO()
    render_terminal(results[0], Console(file=out, width=160))
    text = out.getvalue()
    assert "MADE                 4  56.2 [0.0, 100.0]" in text
    assert "1 questions not in the figures: prompt too long" in text
    assert "7 answers not in the figures: the judge failed on them" in text
    assert "pass@4 is without 1 questions" in text
    assert "1.00 / 1.00 / 1.00" in text
    assert "ran without these limits (--allow-unsandboxed): no network" in text


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.seen, self.attributes = [], set(), []

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        self.seen.add(tag)
        self.attributes += [name for name, _ in attributes]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_fragment_is_one_section_with_nothing_from_outside(results, tmp_path):
    found, folder = results
    other = written(tmp_path / "o", RECORDS, "<i>old</i>")
    compared = compare_evaluations(folder, other, ["made"])
    titled = tuple(one.model_copy(update={"title": "<u>"}) for one in found.benchmarks)
    text = render_html(found.model_copy(update={"comparison": compared, "benchmarks": titled}))
    tags = Tags()
    tags.feed(text)
    assert tags.open == []
    assert text.startswith("<section")
    assert text.rstrip().endswith("</section>")
    assert tags.seen <= {"section", "style", "h2", "h3", "p", "table", "tr", "th", "td"}
    assert set(tags.attributes) == {"class"}
    assert "&lt;b&gt;model&lt;/b&gt;" in text
    assert "&lt;i&gt;old&lt;/i&gt;" in text
    assert "<td>&lt;u&gt;</td>" in text
    assert "http" not in text
    assert "56.2 [" in text


def test_the_comparison_names_what_differs(tmp_path):
    before, now = written(tmp_path / "a", RECORDS, "old"), written(tmp_path / "b", RECORDS, seed=3)
    out = io.StringIO()
    render_comparison_terminal(
        compare_evaluations(now, before, ["made"]), "new", Console(file=out, width=160)
    )
    text = out.getvalue()
    assert "new against old" in text
    assert "they differ in seed: 0 there, 3 here" in text
    assert "+0.0 [-60.2, +60.2]" in text
