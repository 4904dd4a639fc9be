"""Rows of a file: one reader for problems to train on and for benchmarks."""

import gzip
import json

import pyarrow
import pyarrow.parquet
import pytest
from masa_openrlhf.data.readers import READABLE_SUFFIXES, ReadError, read_file

ROWS = [{"problem": "1 + 1?", "answer": "2"}, {"problem": "ünd?", "answer": "3"}]


CSV = 'problem,answer\n"1 + 1?",2\n"ünd?",3\n'


def write(folder, suffix, mark=b""):
    file = folder / f"rows{suffix}"
    if suffix.lower() == ".parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), file)
        return file
    kind = suffix.lower().removesuffix(".gz")
    texts = {
        ".jsonl": "\n\n".join(json.dumps(row) for row in ROWS),
        ".json": json.dumps(ROWS),
        ".csv": CSV,
    }
    content = mark + texts[kind].encode()
    file.write_bytes(gzip.compress(content) if suffix.endswith(".gz") else content)
    return file


@pytest.mark.parametrize("suffix", [*READABLE_SUFFIXES, ".JSONL"])
def test_rows_of_every_form(tmp_path, suffix):
    rows = read_file(write(tmp_path, suffix))
    assert list(rows) == ROWS
    assert (len(rows), rows[1], rows[-1], rows[:1]) == (2, ROWS[1], ROWS[1], ROWS[:1])
    with pytest.raises(IndexError):
        rows[2]


@pytest.mark.parametrize("suffix", [s for s in READABLE_SUFFIXES if s != ".parquet"])
def test_a_byte_order_mark_is_no_content(tmp_path, suffix):
    assert list(read_file(write(tmp_path, suffix, mark=b"\xef\xbb\xbf"))) == ROWS


def test_cells_of_csv_are_text_as_it_stands(tmp_path):
    (tmp_path / "a.csv").write_text('a,b,c\n007,1.50,"two\nlines, and ""quotes"""\n,true,\n')
    assert list(read_file(tmp_path / "a.csv")) == [
        {"a": "007", "b": "1.50", "c": 'two\nlines, and "quotes"'},
        {"a": "", "b": "true", "c": ""},
    ]


def test_lines_under_the_name_of_a_list_and_a_list_under_the_name_of_lines(tmp_path):
    (tmp_path / "a.json").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    (tmp_path / "a.jsonl").write_text(json.dumps(ROWS, indent=2))
    assert read_file(tmp_path / "a.json") == read_file(tmp_path / "a.jsonl") == ROWS


def test_a_pair_of_messages_is_a_row(tmp_path):
    (tmp_path / "a.json").write_text('[[{"from": "human"}, {"from": "assistant"}]]')
    assert read_file(tmp_path / "a.json") == [{"0": {"from": "human"}, "1": {"from": "assistant"}}]


def test_of_a_table_only_the_wanted_columns_are_read(tmp_path):
    table = pyarrow.table({"a": [1, 2], "b": ["x" * 1000] * 2})
    pyarrow.parquet.write_table(table, tmp_path / "a.parquet")
    rows = read_file(tmp_path / "a.parquet").select_columns(["a", "absent"])
    assert list(rows) == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", "x,y", "is none of .parquet, .jsonl, .json, .csv, .jsonl.gz, .json.gz, .csv.gz"),
        ("a.csv", "x,y\n1,2,3\n", "a.csv cannot be read as CSV: .*Expected 2 columns, got 3"),
        ("a.csv", "x,x\n1,2\n", "its first line names the column 'x' twice"),
        ("a.jsonl.gz", "{}", "cannot be read as gzip"),
        ("a.json", '{"a": 1}', "must hold a list of questions, not a dict"),
        ("a.json", "[1]", "row 1 must be an object, got 1"),
        ("a.json", "[", "a.json is not JSON"),
        ("a.jsonl", '{"a": 1}\n{', "a.jsonl, line 2 is not JSON"),
        ("a.jsonl", '{"a": 1}\n[2]', r"row 2 must be an object, got \[2\]"),
        ("a.parquet", "no parquet", "cannot be read as parquet"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(ReadError, match=message):
        read_file(tmp_path / name, "questions")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            '{"a": "ok"}\n{"a": "côte"}\n'.encode("windows-1252"),
            "a.jsonl, line 2: the byte 0xf4 is not UTF-8; .*iconv -f WINDOWS-1252 -t UTF-8",
        ),
        ('{"a": "x"}\n'.encode("utf-16"), "a.jsonl is UTF-16, and must be UTF-8: `iconv"),
        (b'{"a": ' + b"[" * 200_000, "a.jsonl, line 1 is not JSON"),
    ],
)
def test_other_encodings_are_named(tmp_path, content, message):
    (tmp_path / "a.jsonl").write_bytes(content)
    with pytest.raises(ReadError, match=message):
        read_file(tmp_path / "a.jsonl")


def test_a_table_that_ends_early_is_named(tmp_path):
    file = tmp_path / "a.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"a": list(range(100_000))}), file)
    content = bytearray(file.read_bytes())
    content[100:20_000] = bytes(19_900)
    file.write_bytes(content)
    with pytest.raises(ReadError, match="a.parquet cannot be read as parquet"):
        list(read_file(file))
