"""Coding: a statement, and the tests that a program is held to. Nothing is executed here."""

from __future__ import annotations

import ast
import base64
import io
import json
import pickle
import zlib
from typing import Any

from masa_openrlhf.eval.benchmarks.entry import BenchmarkItem, BenchmarkRow
from masa_openrlhf.eval.benchmarks.parsers import RowError, read_id, read_text
from masa_openrlhf.eval.benchmarks.python_source import parse_source


def parse_mbpp(row: BenchmarkRow, number: int) -> BenchmarkItem:
    """Read a row of MBPP, in the hub's form (text, test_list) or with prompt and test."""
    statement = read_text(row, "text" if "text" in row else "prompt")
    asserts = row.get("test_list") or row.get("test")
    if not isinstance(asserts, (list, tuple)) or not asserts:
        raise RowError(f"no list of tests: {asserts!r:.60}")
    reference = read_text(row, "code")
    setup = str(row.get("test_setup_code") or "")
    tests = "\n".join([setup, *map(str, asserts)]).strip()
    return BenchmarkItem(
        id=read_id(row, "task_id", number),
        statement=statement,
        fields={"tests": "\n".join(map(str, asserts))},
        tests={
            "source": read_imports(reference) + tests,
            "names": find_entry_names(reference, tests),
        },
    )


def parse_humaneval_plus(row: BenchmarkRow, number: int) -> BenchmarkItem:
    """Read a row of HumanEval+: a header to complete, and ``check(candidate)``."""
    name, header = read_text(row, "entry_point"), str(row.get("prompt") or "")
    whole = header + "\n    pass\n"
    source = f"{read_imports(whole)}{read_text(row, 'test')}\n\ncheck({name})\n"
    return BenchmarkItem(
        id=read_id(row, "task_id", number),
        statement=header.strip(),
        tests={"source": source, "names": [name], "preamble": read_preamble(whole, name)},
    )


def parse_mbpp_plus(row: BenchmarkRow, number: int) -> BenchmarkItem:
    """Read a row of MBPP+: a text, three asserts to show, and tests that call the function."""
    reference, tests = read_text(row, "code"), read_text(row, "test")
    shown = "\n".join(str(one) for one in row.get("test_list") or ())
    told = f"\n\nYour code must pass these tests:\n\n{shown}" if shown else ""
    return BenchmarkItem(
        id=f"Mbpp/{read_id(row, 'task_id', number)}",
        statement=read_text(row, "prompt"),
        fields={"tests": told},
        tests={
            "source": read_imports(reference) + tests,
            "names": find_entry_names(reference, tests),
        },
    )


def parse_evalplus(row: BenchmarkRow, number: int) -> BenchmarkItem:
    """Read a row of either half of EvalPlus."""
    return (
        parse_humaneval_plus(row, number)
        if row.get("entry_point")
        else parse_mbpp_plus(row, number)
    )


def parse_cruxeval(row: BenchmarkRow, number: int) -> BenchmarkItem:
    """Read a row of CRUXEval, for its output: code, input, output."""
    from masa_openrlhf.eval.graders.literal import read_literal

    gold = read_text(row, "output")
    try:
        read_literal(gold)
    except ValueError as error:
        raise RowError(f"output is {error}: {gold!r:.60}") from None
    asked = f"{read_text(row, 'code')}\nassert f({row.get('input') or ''!s}) == ??"
    return BenchmarkItem(read_id(row, "id", number), asked, gold=gold)


def parse_livecodebench(row: BenchmarkRow, number: int) -> BenchmarkItem:
    """Read a row of LiveCodeBench: a statement, and inputs with the outputs they must give."""
    cases = _read_cases(row.get("public_test_cases")) + _read_cases(row.get("private_test_cases"))
    if not cases:
        raise RowError("no test cases")
    metadata = _parse_json(row.get("metadata") or "{}", "metadata")
    starter = str(row.get("starter_code") or "")
    return BenchmarkItem(
        id=read_id(row, "question_id", number),
        statement=read_text(row, "question_content"),
        fields={"form": _WITH_STARTER.format(starter=starter) if starter else _FROM_STDIN},
        tests={
            "inputs": [str(case["input"]) for case in cases],
            "outputs": [str(case["output"]) for case in cases],
            "function": metadata.get("func_name"),
        },
    )


_WITH_STARTER = "Begin with this code, and keep its names:\n```python\n{starter}\n```"
_FROM_STDIN = "Write a program that reads standard input and writes to standard output."


def _read_cases(value: Any) -> list[dict[str, Any]]:
    if not value:
        return []
    try:
        cases = json.loads(value)
    except ValueError:
        cases = _parse_json(_unpack_cases(str(value)), "private_test_cases")
    if not isinstance(cases, list) or not all(
        isinstance(case, dict) and {"input", "output"} <= case.keys() for case in cases
    ):
        raise RowError(f"test cases are no list of input and output: {str(value)[:60]!r}")
    return cases


class _TextOnly(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"it holds a {module}.{name}, where a text belongs")


def _unpack_cases(value: str) -> str:
    """Unpack base64 of zlib of a pickled text; a pickle that holds anything else is refused."""
    try:
        found = _TextOnly(io.BytesIO(zlib.decompress(base64.b64decode(value)))).load()
    except (ValueError, zlib.error, pickle.UnpicklingError, EOFError, IndexError) as error:
        raise RowError(f"private_test_cases cannot be unpacked: {error}") from None
    if not isinstance(found, (str, bytes)):
        raise RowError(f"private_test_cases hold a {type(found).__name__}, where a text belongs")
    return found if isinstance(found, str) else found.decode("utf-8", errors="replace")


def _parse_json(value: str, what: str) -> Any:
    try:
        return json.loads(value)
    except ValueError as error:
        raise RowError(f"{what} is not JSON: {error}") from None


def _parse_code(code: str) -> ast.Module:
    try:
        tree: ast.Module = parse_source(code.replace("\r\n", "\n"))
    except (SyntaxError, ValueError) as error:
        raise RowError(f"the data's own code is no Python: {error}") from None
    return tree


def read_imports(code: str) -> str:
    """Return the import statements of the data's own code, a line each."""
    body = _parse_code(code).body
    found = [ast.unparse(node) for node in body if isinstance(node, (ast.Import, ast.ImportFrom))]
    return "".join(line + "\n" for line in found)


def find_entry_names(reference: str, tests: str) -> list[str]:
    """Return what the tests call of the program: names that the reference defines and they use.

    A name comes from the reference alone, never from a model's program: else a program could
    define ``all``, or the tests' own helper, and be asked for it.
    """
    defined = {
        node.name
        for node in _parse_code(reference).body
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    }
    tree = _parse_code(tests)
    used = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    own = {n.name for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    names = sorted((defined & used) - own)
    if not names:
        raise RowError("the tests call nothing that the reference defines")
    return names


def read_preamble(header: str, entry: str) -> str:
    """Return what stands in a header besides the function to complete: imports and helpers."""
    kept = [node for node in _parse_code(header).body if getattr(node, "name", None) != entry]
    return "".join(ast.unparse(node) + "\n" for node in kept)
