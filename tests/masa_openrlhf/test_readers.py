"""Rows of a file: one reader for problems to train on and for benchmarks."""

import json

import pytest
from masa_openrlhf.data.readers import READABLE_SUFFIXES, ReadError, read_file

ROWS = [{"problem": "1 + 1?", "answer": "2"}, {"problem": "ünd?", "answer": "3"}]


def write(folder, suffix):
    file = folder / f"rows{suffix}"
    if suffix.lower() == ".parquet":
        import pyarrow
        import pyarrow.parquet

        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(ROWS), file)
    elif suffix.lower() == ".jsonl":
        file.write_text("\n\n".join(json.dumps(row) for row in ROWS), encoding="utf-8")
    else:
        file.write_text(json.dumps(ROWS), encoding="utf-8")
    return file


@pytest.mark.parametrize("suffix", [*READABLE_SUFFIXES, ".JSONL"])
def test_rows_of_every_form(tmp_path, suffix):
    assert read_file(write(tmp_path, suffix)) == ROWS


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "x,y", "is none of .parquet, .jsonl, .json"),
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
