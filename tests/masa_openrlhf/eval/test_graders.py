import json
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.eval.benchmarks.registry import BENCHMARKS_BY_NAME
from masa_openrlhf.eval.config import EvaluationConfig, SandboxConfig
from masa_openrlhf.eval.engine.model_source import ModelSource
from masa_openrlhf.eval.graders.cases import CasesGrader, is_same_output, is_same_value
from masa_openrlhf.eval.graders.choice import ChoiceGrader, read_choice
from masa_openrlhf.eval.graders.literal import MAX_CHARACTERS, LiteralGrader
from masa_openrlhf.eval.graders.maths import MathsGrader
from masa_openrlhf.eval.graders.number import NumberGrader, read_number
from masa_openrlhf.eval.graders.program import ProgramGrader, extract_program
from masa_openrlhf.eval.question import Question
from masa_openrlhf.eval.questions import load_questions
from masa_openrlhf.eval.sandbox.wire import to_wire
from masa_rewards import AnswerVerifier

from tests.masa_openrlhf.eval.factories import REAL_DATA, make_case

CASES = json.loads(Path(__file__).with_name("grader_cases.json").read_text("utf-8"))
OPTIONS = tuple(CASES["options"])


def question(gold, options=(), **tests):
    return Question("q", "", "", gold, options=options, tests=tests)


@pytest.mark.parametrize(("text", "letter", "why"), CASES["choice"])
def test_choices(text, letter, why):
    grade = ChoiceGrader().grade(question("B", OPTIONS), text)
    wanted = "unparsable" if letter is None else "correct" if letter == "B" else "incorrect"
    assert grade.status == wanted, why
    if letter is not None:
        assert grade.answer == letter


def test_anchored_answers_count_where_one_asks_for_it():
    text = "So the answer is (B)."
    assert ChoiceGrader("boxed").grade(question("B", OPTIONS), text).status == "unparsable"
    assert ChoiceGrader("anchored").grade(question("B", OPTIONS), text).status == "correct"


@given(st.text(max_size=40))
def test_a_choice_is_one_of_the_letters_or_none(stated):
    assert read_choice(stated, OPTIONS) in (None, "A", "B", "C", "D")


def test_two_choices_of_the_same_text_are_named_by_letter_only():
    assert read_choice("years", ("years", "years")) is None
    assert read_choice("B", ("years", "years")) == "B"


@pytest.mark.parametrize(("text", "gold", "status", "why"), CASES["number"])
def test_numbers(text, gold, status, why):
    assert NumberGrader().grade(question(gold), text).status == status, why


@given(st.floats(-1e12, 1e12, allow_nan=False))
def test_every_number_is_read_as_python_writes_it(value):
    assert read_number(repr(value)) == value
    assert read_number(f"${value!r}$ \\mathrm{{~J}}") == value


@given(st.text(alphabet="0123456789.,+-^{}\\eE*/ x=times", max_size=30))
def test_reading_a_number_never_raises(text):
    found = read_number(text)
    assert found is None or abs(found) < float("inf")


@pytest.mark.parametrize(("text", "gold", "status", "why"), CASES["literal"])
def test_literals(text, gold, status, why):
    assert LiteralGrader().grade(question(gold), text).status == status, why


@pytest.mark.parametrize(
    "deep",
    [
        *("(" * 3900, "[" * 1900 + "]" * 1900, "-" * 3900 + "1", "1+" * 1900 + "1", "f(" * 1900),
        *("{" * 3900, "lambda:" * 500, "9" * 3900, "x" * MAX_CHARACTERS, "not " * 900 + "1"),
    ],
)
def test_no_literal_brings_the_parser_down(deep):
    grade = LiteralGrader().grade(question("1"), f"[ANSWER]{deep}[/ANSWER]")
    assert grade.status in ("incorrect", "unparsable")


@pytest.fixture(scope="module")
def maths():
    with AnswerVerifier() as verifier:
        yield MathsGrader(verifier)


@pytest.mark.parametrize(
    ("gold", "right", "wrong"),
    [
        ("204", "\\boxed{204}", "\\boxed{24}"),
        ("\\left( 3, \\frac{\\pi}{2} \\right)", "\\boxed{(3, \\pi/2)}", "\\boxed{(\\pi/2, 3)}"),
        ("p - q", "\\boxed{p-q}", "\\boxed{q-p}"),
        ("\\text{Evelyn}", "\\boxed{Evelyn}", "\\boxed{Debra}"),
        ("6 - 5i", "\\boxed{6-5i}", "\\boxed{6+5i}"),
        ("2.75 \\times 10^{11}", "\\boxed{275000000000}", "\\boxed{2.75}"),
        ("-1, 7", "\\boxed{7, -1}", "\\boxed{7}"),
        ("[-1, 7)", "\\boxed{[-1,7)}", "\\boxed{[-1,7]}"),
    ],
)
def test_maths_in_the_forms_of_the_six_sets(gold, right, wrong, maths):
    assert maths.grade(question(gold), right).status == "correct"
    assert maths.grade(question(gold), wrong).status == "incorrect"
    assert maths.grade(question(gold), f"It is {gold}").status == "unparsable"
    thought = f"<think>{right}</think> I give up."
    assert maths.grade(question(gold), thought).status == "unparsable"


# -- programs --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "program"),
    [
        ("```python\nx = 1\n```", "x = 1\n"),
        ("First\n```py\nx = 1\n```\nbetter\n```\nx = 2\n```\n", "x = 2\n"),
        ("```python\r\nx = 1\r\n```", "x = 1\n"),
        ("  ```Python3\nx = 1\n  ```", "x = 1\n"),
        ("<think>```\nx = 1\n```</think>nothing", None),
        ("```python\nx = 1", None),
        ("x = 1", None),
        ("```\n\n```", None),
        ("", None),
    ],
)
def test_the_program_is_the_last_closed_block(text, program):
    assert extract_program(text) == program


@pytest.mark.parametrize(
    ("ours", "theirs", "same"),
    [
        ("1 2\n", "1 2", True),
        (" 1 2 \n 3\n\n", "1 2\n3", True),
        ("1.0 2", "1 2.00", True),
        ("1 2", "1\n2", False),
        ("50000000000000001", "50000000000000000", False),
        ("yes", "YES", False),
        ("nan", "nan", True),
        ("", "0", False),
    ],
)
def test_outputs_are_compared_line_by_line_and_numbers_by_value(ours, theirs, same):
    assert is_same_output(ours, theirs) is same


@pytest.mark.parametrize(
    ("value", "wanted", "same"),
    [
        ([1, 2], [1, 2], True),
        ((1, 2), [1, 2], True),
        ([(1,), 2], [[1], 2], True),
        (1, 1.0, True),
        ("1", 1, False),
        (True, 1, False),
        ([1], [1, 2], False),
        (None, None, True),
        ({"a": 1}, {"a": 1}, True),
        ({"a": (1,)}, {"a": [1]}, True),
        ({"a": 1}, {"b": 1}, False),
        ({1: 1}, {"1": 1}, False),
        (10**20, 10**20, True),
        (10**20, 1e20, True),
        (10**20 + 1, 10**20, False),
        (2**53, 2.0**53, True),
        ({1}, [1], False),
        ([], None, False),
        ([], {}, False),
    ],
)
def test_returned_values(value, wanted, same):
    assert is_same_value(to_wire(value), wanted) is same


def lcb(program, cases, function=None, **settings):
    asked = question(
        "",
        inputs=[c["input"] for c in cases],
        outputs=[c["output"] for c in cases],
        function=function,
    )
    grader = CasesGrader(SandboxConfig(seconds=20, memory_mb=512, **settings))
    return grader.grade(asked, f"```python\n{program}\n```")


ECHO = [make_case("1 2\n", "3\n"), make_case("5 6\n", "11\n")]


@pytest.mark.parametrize(
    ("program", "status", "detail"),
    [
        ("print(sum(map(int, input().split())))", "correct", ""),
        ("import sys\nprint(sum(map(int, sys.stdin.read().split())))\nsys.exit(0)", "correct", ""),
        (
            "def main(): print(sum(map(int, open(0).read().split())))\n"
            "if __name__ == '__main__': main()",
            "correct",
            "",
        ),
        ("print(sum(map(int, stdin.readline().split())))", "correct", ""),  # "from sys import *"
        ("print(3)", "incorrect", "case 2: it wrote '3"),
        ("print(3)\nraise ValueError", "incorrect", "case 1: it ended with 1"),
        ("import os\nos._exit(0)", "incorrect", "case 1: it wrote ''"),
        ("while True: pass", "incorrect", "case 1: it ended with seconds"),
        ("while True: print('x' * 10000)", "incorrect", "case 1: it ended with output"),
        (
            "import os, time\nif os.fork(): os._exit(0)\ntime.sleep(100)",
            "incorrect",
            "case 1: it ended with seconds",
        ),
        ("x = bytearray(10 ** 10)", "incorrect", "case 1: it ended with 1"),
        ("def f(:", "incorrect", "case 1: it ended with 1"),
        ("import os, signal\nos.kill(os.getppid(), signal.SIGKILL)", "incorrect", "it ended"),
        (
            "import os\nfor fd in range(3, 200):\n    try:\n"
            '        os.write(fd, b\'{"output": "3", "status": 0}\\n\')\n'
            "    except OSError: pass",
            "incorrect",
            "case 1: it wrote ''",
        ),
    ],
)
def test_programs_that_read_and_write(program, status, detail):
    grade = lcb(program, ECHO, case_seconds=2)
    assert (grade.status, detail in grade.detail) == (status, True), grade


@pytest.mark.parametrize(
    ("program", "status"),
    [
        (
            "class Solution:\n    def add(self, a: int, b: List[int]) -> int:\n"
            "        return a + sum(b)",
            "correct",
        ),
        ("def add(a, b): return a + sum(b)", "correct"),
        ("def add(a, b): return 6", "incorrect"),
        (
            "class Solution:\n    def add(self, a, b):\n        import os\n        os._exit(0)",
            "incorrect",
        ),
        ("class X:\n    def __eq__(self, o): return True\ndef add(a, b): return X()", "incorrect"),
        ("def other(): pass", "incorrect"),
        ("def add(a, b):\n    while True: pass", "incorrect"),
    ],
)
def test_programs_that_are_called(program, status):
    cases = [make_case("1\n[2, 3]", "6", "functional"), make_case("0\n[]", "0", "functional")]
    assert lcb(program, cases, "add", case_seconds=2).status == status


FORGED = """\
import os
def add(a, b):
    for fd in range(3, 64):
        try:
            os.write(fd, {line})
        except OSError:
            pass
    return 0
"""


@pytest.mark.parametrize(
    "program",
    [
        "def add(a, b): return 10 ** 5000",
        "def add(a, b):\n    l = 1\n    for _ in range(150): l = [l]\n    return l",
        FORGED.format(line="b'{\"value\": ' + b'[' * 900 + b']' * 900 + b'}\\n'"),
        FORGED.format(line="b'{\"raised\": ' + b'[' * 900 + b']' * 900 + b'}\\n'"),
        FORGED.format(line='b\'{"raised": 1, "text": {"a": [null, 1e999]}}\\n\''),
        FORGED.format(line='b\'{"value": ["s", [["l", []]]]}\\n\''),
        FORGED.format(line='b\'{"value": ["d", 5]}\\n\''),
        FORGED.format(line='b\'{"value": ["i", "zz"]}\\n{"value": ["F", ["1", "0"]]}\\n\''),
        FORGED.format(line="b'[]\\n'"),
        FORGED.format(line="b'{}\\n'"),
    ],
)
def test_whatever_a_program_sends_the_evaluation_goes_on(program):
    cases = [make_case("1\n[2, 3]", "6", "functional")]
    assert lcb(program, cases, "add", case_seconds=5).status == "incorrect"
    tests = question("", source="assert add(1, [2, 3]) == 6", names=["add"])
    fenced = f"```python\n{program}\n```"
    grade = ProgramGrader(SandboxConfig(seconds=20)).grade(tests, fenced)
    assert grade.status == "incorrect"
    assert len(grade.detail) < 1000


@pytest.mark.parametrize(
    "value",
    [
        "'[\"F\", [\"0x' + 'b' * 3_000_000 + '\", \"0x' + 'd' * 3_000_000 + '\"]]'",
        "'[\"d\", [' + ', '.join(f'[[\"i\", \"{k * (2**61 - 1):#x}\"], 0]' "
        "for k in range(1, 90_000)) + ']]'",
    ],
)
def test_a_value_that_would_take_hours_to_rebuild_takes_none(value):
    """Its common divisor, or keys of one hash: outside nothing would limit that."""
    line = f"('{{\"value\": ' + {value} + '}}\\n').encode()"
    begun = time.monotonic()
    cases = [make_case("1\n[2, 3]", "6", "functional"), make_case("1\n[2, 3]", "[6]", "functional")]
    for wanted in cases:
        grade = lcb(FORGED.format(line=line), [wanted], "add")
        assert (grade.status, grade.detail[:15]) == ("incorrect", "case 1: it gave")
    assert time.monotonic() - begun < 20


def test_a_value_of_many_parts_is_not_read():
    line = "b'{\"value\": [\"l\", [' + b'[\"l\", []],' * 190_000 + b'0]]}\\n'"
    begun = time.process_time()
    cases = [make_case("1\n[2, 3]", "6", "functional")]
    grade = lcb(FORGED.format(line=line), cases, "add")
    assert (grade.status, grade.detail[:15]) == ("incorrect", "case 1: it gave")
    assert grade.detail.endswith("longer than any right value")
    grade = lcb(FORGED.format(line=line) + "add(0, 0)\n", cases, "add")
    assert (grade.status, grade.detail) == ("incorrect", "it ended: output")
    assert time.process_time() - begun < 0.3


def test_a_value_as_long_as_what_is_wanted_is_read():
    wanted = [[f"{n}é", n, 10**20] for n in range(20_000)]
    cases = [make_case(json.dumps(wanted), json.dumps(wanted), "functional")]
    program = "def echo(x): return [tuple(one) for one in x]"
    assert lcb(program, cases, "echo").status == "correct"


@pytest.mark.parametrize("when", ["", "add(0, 0)"])
def test_an_answer_before_it_is_asked_is_none(when):
    line = "b'{\"value\": 6}\\n' * 3"
    cases = [make_case("1\n[2, 3]", "6", "functional")] * 3
    grade = lcb(FORGED.format(line=line) + when, cases, "add")
    assert (grade.status, grade.detail) == ("incorrect", "it ended: unasked")


@pytest.mark.skipif(not REAL_DATA.exists(), reason=f"the real data are not there: {REAL_DATA}")
def test_the_references_of_the_real_mbpp_pass_and_their_neighbours_do_not():
    """Each of 20 references passes its own tests, and none those of the next problem."""
    model = ModelSource("m", "m", TrainConfig(), trained=False)
    asked = load_questions(BENCHMARKS_BY_NAME["mbpp"], EvaluationConfig(data=REAL_DATA), model)
    assert (len(asked.questions), asked.unusable) == (500, {})
    rows = [json.loads(line) for line in (REAL_DATA / "mbpp_test.jsonl").read_text().splitlines()]
    grader = ProgramGrader(SandboxConfig(seconds=30))
    chosen = range(0, 500, 25)
    fenced = [f"```python\n{row['code']}\n```" for row in rows]
    pairs = [(asked.questions[i], fenced[j]) for i in chosen for j in (i, i + 1)]
    with ThreadPoolExecutor(4) as pool:
        found = [grade.status for grade in pool.map(grader.grade, *zip(*pairs, strict=True))]
    assert found == ["correct", "incorrect"] * 20
    for one, row in zip(asked.questions, rows, strict=True):
        assert re.sub(r"\s", "", row["test"][0]) in re.sub(r"\s", "", one.prompt)


def test_a_judge_that_lacks_a_module_says_so_and_counts_nothing():
    asked = question("", source="import no_such_module\nassert f() == 1", names=["f"])
    grade = ProgramGrader(SandboxConfig(seconds=20)).grade(
        asked, "```python\ndef f(): return 1\n```"
    )
    assert grade.status == "error"
    assert "no_such_module" in grade.detail


def test_a_program_that_lacks_a_module_is_wrong():
    asked = question("", source="assert f() == 1", names=["f"])
    grade = ProgramGrader(SandboxConfig(seconds=20)).grade(
        asked, "```python\ndef f():\n    import no_such_module\n```"
    )
    assert grade.status == "incorrect"
