"""No text of a model ends an evaluation, or holds it up: every grader, every reader."""

import json
import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from masa_openrlhf.cli import main
from masa_openrlhf.eval import command
from masa_openrlhf.eval.engine.messages import GeneratedAnswer
from masa_openrlhf.eval.folder import EvalFolder
from masa_openrlhf.eval.graders import strip_thinking
from masa_openrlhf.eval.graders.cases import is_same_output, is_same_value
from masa_openrlhf.eval.graders.choice import ChoiceGrader, read_choice
from masa_openrlhf.eval.graders.literal import MAX_CHARACTERS, LiteralGrader, read_literal
from masa_openrlhf.eval.graders.maths import MathsGrader
from masa_openrlhf.eval.graders.number import NumberGrader, read_number
from masa_openrlhf.eval.graders.program import extract_program
from masa_openrlhf.eval.question import Question
from masa_openrlhf.eval.results.meta_awareness import compute_meta_metrics
from masa_openrlhf.eval.results.records import make_record
from masa_rewards import AnswerVerifier, MetaPrompt, Verdict

from tests.masa_openrlhf.eval.factories import ROWS, write_benchmark
from tests.masa_openrlhf.eval.fakes import ScriptedEngine

OPTIONS = ("density", "years", "A", "gravity is 9.8 m/s^2.")

# -- every grader returns --------------------------------------------------------------------------

PIECES = (
    *("\\boxed{", "}", "{", "\\frac{", "}{", "10^{", "10**", "\\times", "\\text{", "\\textbf {"),
    *("[ANSWER]", "[/ANSWER]", "assert ", "f(1)", "==", " and ", "```", "```python\n", "\n", "\r"),
    *(
        "1",
        "9",
        ".",
        ",",
        "-",
        "+",
        "e",
        "/",
        "²",
        "⁻",
        "٣",
        "߁",
        "𝟗",
        "½",
        "−",
        "ſ",
        "K",
        " ",
        "\t",
    ),
    *(
        "\\",
        "$",
        "'",
        '"',
        "(",
        ")",
        "[",
        "]",
        "#",
        "\x00",
        "\ud800",
        "\u2028",
        "</think>",
        "A",
        "B",
    ),
    *("9" * 4301, "0" * 5000, "(" * 300, "1e400", "9" * 400),
)
TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(st.sampled_from(PIECES), max_size=14).map("".join),
    st.lists(st.sampled_from(PIECES), max_size=8).map(lambda p: f"\\boxed{{{''.join(p)}}}"),
    st.lists(st.sampled_from(PIECES), max_size=8).map(lambda p: f"[ANSWER]{''.join(p)}[/ANSWER]"),
)


def asked(gold):
    return Question("q", "", "", gold, options=OPTIONS)


@given(TEXTS)
@example("\\boxed{\\frac{.}{1}}")
@example("\\boxed{\\frac{1.2.3}{4}}")
@example("\\boxed{10^{" + "9" * 4301 + "}}")
@example("\\boxed{10^{-" + "0" * 5000 + "1}}")
def test_a_number_is_judged_or_unparsable(text):
    grade = NumberGrader("anchored").grade(asked("2.5"), text)
    assert grade.status in ("correct", "incorrect", "unparsable")


@given(TEXTS)
def test_a_choice_is_judged_or_unparsable(text):
    grade = ChoiceGrader("anchored").grade(asked("B"), text)
    assert grade.status in ("correct", "incorrect", "unparsable")


@given(TEXTS)
def test_a_literal_is_judged_or_unparsable(text):
    grade = LiteralGrader().grade(asked("{(1, 2): [True]}"), text)
    assert grade.status in ("correct", "incorrect", "unparsable")


@given(TEXTS)
def test_a_program_is_found_or_none(text):
    assert extract_program(text) is None or extract_program(text).strip()


@given(TEXTS, TEXTS)
def test_outputs_are_the_same_or_not(ours, theirs):
    assert is_same_output(ours, theirs) in (True, False)
    assert is_same_output(ours, ours)


@given(TEXTS)
def test_a_prediction_is_read_or_missing(text):
    MetaPrompt().parse(text)


FENCED = st.lists(
    st.sampled_from(
        ["```", "python", "py", "Python3", "js", " ", "\t", "\n", "\r\n", "x", "</think>"]
    ),
    max_size=16,
).map("".join)


@given(FENCED)
def test_blocks_are_those_of_the_expression_that_says_what_they_are(text):
    """The expression takes quadratic time over rows of blanks, and is the shorter to read."""
    expression = r"^[ \t]*```[ \t]*(?:python3?|py)?[ \t]*\r?\n(.*?)^[ \t]*```"
    blocks = re.findall(expression, strip_thinking(text), re.M | re.S | re.I)
    last = blocks[-1].replace("\r\n", "\n") if blocks else ""
    assert extract_program(text) == (last if last.strip() else None)


WRAPPED = st.lists(
    st.sampled_from(["\\text{", "\\mathrm {", "{", "}", "B", "years", " ", "\\frac{"]), max_size=14
).map("".join)


@given(WRAPPED)
def test_what_is_wrapped_is_that_of_unwrapping_from_within(stated):
    """Again and again from within takes quadratic time where they are nested."""
    inner = re.compile(r"\\(?:text|textbf|mathrm|mathbf|mathsf|textrm)\s*\{([^{}]*)\}")
    bare = stated
    while (unwrapped := inner.sub(r"\1", bare)) != bare:
        bare = unwrapped
    assert read_choice(stated, OPTIONS) == read_choice(bare, OPTIONS)


# -- in linear time --------------------------------------------------------------------------------

SHAPES = {
    "spaces": " ",
    "tabs": "\t",
    "newlines": "\n",
    "returns": "\r\n",
    "no-break spaces": "\u00a0",
    "backticks": "`",
    "fences": "```\n",
    "fences of a language": "```python ",
    "fences and blanks": "\n```  \t  ",
    "braces": "{",
    "braces closed": "}",
    "braces, both": "{}",
    "text": "\\text{",
    "text and blanks": "\\text   ",
    "boxes": "\\boxed{",
    "boxes and blanks": "\\boxed  ",
    "fractions": "\\frac{1}",
    "powers": "10^{",
    "carets": "^ ",
    "digits": "9",
    "thousands": "1,000",
    "points": "1.",
    "signs": "-",
    "brackets": "[",
    "round brackets": "(",
    "answers": "[ANSWER]",
    "answers closed": "[ANSWER][/ANSWER]",
    "equations": "f(1) == ",
    "keys": '{"pass_rate": ',
    "backslashes": "\\",
    "quotes": "'",
    "classes": "class \n",
    "letters": "a",
    "words": "option ",
    "thinking": "</think>",
}
NESTED = {"text": ("\\text{", "}"), "braces": ("{", "}"), "brackets": ("[", "]")}
FRAMES = (
    "{}",
    "```python\n{}",
    "```{}x\n",
    "[ANSWER]x{}y[/ANSWER]",
    "\\boxed{{{}}}",
    "\\boxed{{2{}x}}",
)


def read_all(text):
    """Read it as everything that judges would; the maths judge has processes of its own."""
    extract_program(text)
    read_choice(text, OPTIONS)
    read_number(text)
    ChoiceGrader("anchored").grade(asked("B"), text)
    NumberGrader("anchored").grade(asked("2"), text)
    LiteralGrader().grade(asked("2"), text)
    is_same_output(text, "1 2\n3")
    is_same_output("1 2\n3", text)
    is_same_value(text, [text])
    MetaPrompt().parse(text)


def processor_time(text, repeats=3):
    best = float("inf")
    for _ in range(repeats):
        begun = time.process_time()
        read_all(text)
        best = min(best, time.process_time() - begun)
    return best


@pytest.mark.parametrize("shape", SHAPES)
def test_twice_the_text_takes_twice_the_time(shape):
    """20 kB and 40 kB: quadratic is 4 times, and would be seconds."""
    takes_twice_the_time(lambda size: SHAPES[shape] * (size // len(SHAPES[shape])))


@pytest.mark.parametrize("shape", NESTED)
def test_so_does_text_within_text(shape):
    opening, closing = NESTED[shape]
    count = len(opening) + len(closing)
    takes_twice_the_time(lambda size: opening * (size // count) + closing * (size // count))


def takes_twice_the_time(text_of):
    for frame in FRAMES:
        one, two = (processor_time(frame.format(text_of(size))) for size in (20_000, 40_000))
        assert two < 0.5, frame
        assert two < 3.2 * one + 0.02, frame


def test_an_output_of_millions_of_words_is_not_taken_apart():
    begun = time.process_time()
    for output in ("1 " * 2**22, "1\n" * 2**22, "12 13\n" * 2**20, " " * 2**23, "9" * 2**23):
        assert not is_same_output(output, "1 2")
        assert not is_same_output("1 2\n" + output, "1 2\n1")
    assert time.process_time() - begun < 3


# -- the evaluation goes on ------------------------------------------------------------------------

HOSTILE = (
    *("\\boxed{\\frac{.}{1}}", "\\boxed{\\frac{1.2.3}{4}}", "\\boxed{10^{" + "9" * 4301 + "}}"),
    *("```" + " " * 20_000 + "x\n", "[ANSWER]x" + " " * 20_000 + "y[/ANSWER]", "\\text{" * 1600),
    *("[ANSWER]" + "(" * 3000 + "[/ANSWER]", "\x00\ud800\u2028", "", '{"pass_rate": 1e999}'),
    *("```python\ndef add(p): return '\ud800'\n```", "```python\n" + "(" * 3000 + "\n```"),
    *("{" * 9000, '{"math_notion": ' * 500, "\\boxed{" * 3000, "9" * 9000),
)


class HostileEngine(ScriptedEngine):
    """In the place of vLLM: says every hostile text, to every question and meta prompt."""

    def __init__(self, *arguments):
        super().__init__(lambda request: [*HOSTILE, *HOSTILE][: request.n])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None


def evaluate(*argv):
    try:
        main(["eval", *map(str, argv)])
    except SystemExit as end:
        return end.code or 0
    return 0


def test_an_evaluation_over_hostile_texts_ends_and_goes_on(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "Replicas", HostileEngine)
    monkeypatch.setattr(command, "build_engine_start", lambda model, config, temporary: None)
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text('{"model_type": "qwen3"}')
    names = ("scibench", "arc", "cruxo", "aime24", "mbpp")
    for name in names:
        write_benchmark(
            tmp_path, name, [{**ROWS[name][0], "id": f"{i}", "task_id": i} for i in range(5)]
        )
    count = len(HOSTILE)
    status = evaluate(
        *(tmp_path / "model", "--benchmarks", ",".join(names), "--data", tmp_path, "--meta"),
        *("--evals", tmp_path / "evals", "--samples", count, "--prediction.rollouts", count),
    )
    assert status == 0, capsys.readouterr().err
    (path,) = (tmp_path / "evals").iterdir()
    for name in names:
        records = list(EvalFolder(path).records(name).read())
        assert len(records) == 5
        for record in records:
            statuses = [sample.status for sample in record.samples]
            assert set(statuses) <= {"incorrect", "unparsable"}, name
    results = json.loads((path / "results.json").read_text())
    assert results["complete"]
    assert results["meta"]["scibench"]["failed"] == 0
    file = path / "records" / "scibench.jsonl"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[:2]) + lines[2][:40])  # as a kill leaves it
    assert evaluate("--resume", path) == 0
    assert len(list(EvalFolder(path).records("scibench").read())) == 5


def test_a_question_whose_predictions_cannot_be_scored_is_counted_and_left_out(monkeypatch):
    parse = MetaPrompt.parse

    def broken(self, text):
        if text == "!":
            raise RecursionError
        return parse(self, text)

    monkeypatch.setattr(MetaPrompt, "parse", broken)
    records = [
        make_record(
            Question(name, "s", "p", "x"),
            [GeneratedAnswer(text="x", tokens=10, truncated=False)],
            [Verdict(status="correct", answer="x")],
            [GeneratedAnswer(text=said, tokens=3, truncated=False)],
            prompt_tokens=5,
            seed=0,
        )
        for name, said in (("a", '{"pass_rate": 8}'), ("b", "!"), ("c", '{"pass_rate": 0}'))
    ]
    found = compute_meta_metrics(records, MetaPrompt(), max_std=0.1)
    assert (found.questions, found.predictions, found.failed) == (2, 2, 1)
    assert found.brier.value == 0.5


@pytest.fixture(scope="module")
def maths():
    with AnswerVerifier() as verifier:
        yield MathsGrader(verifier)


@pytest.mark.parametrize("text", HOSTILE)
def test_the_judge_of_mathematics_returns_too(text, maths):
    assert maths.grade(asked("2"), text).status in ("incorrect", "unparsable")


def test_a_literal_that_is_too_long_is_not_read():
    with pytest.raises(ValueError, match="longer than"):
        read_literal("1" * (MAX_CHARACTERS + 1))
