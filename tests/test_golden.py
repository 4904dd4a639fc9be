"""No number moves while code does: see ``tests/golden``."""

import itertools

import pytest

from tests.golden.files import FILES, FOLDER, find_differences, path_of, read_rows, to_text


@pytest.mark.parametrize("name", FILES)
def test_numbers_are_what_they_were(name):
    golden = FILES[name]
    now = read_rows(to_text(golden.make()))
    was = read_rows(path_of(name).read_text(encoding="utf-8"))
    found = list(itertools.islice(find_differences(was, now, golden.tolerance), 10))
    assert not found, (
        f"numbers of {name} moved, among them:\n" + "\n".join(found) + "\nIf they should: "
        "make golden, and say in the commit which moved and why"
    )


def test_every_golden_file_is_made_by_something():
    assert {path.stem for path in FOLDER.glob("*")} == set(FILES)


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ([{"a": 1, "b": 0.5}], []),
        ([{"a": 1, "b": 0.5 + 1e-13}], []),
        ([{"a": 1, "b": 0.5 + 1e-11}], ["[0].b: was 0.5, is 0.50000000001"]),
        ([{"a": 2, "b": 0.5}], ["[0].a: was '1', is '2'"]),
        ([{"a": True, "b": 0.5}], ["[0].a: was '1', is 'True'"]),
        ([{"a": 1, "b": None}], ["[0].b: was '0.5', is 'None'"]),
        ([{"a": 1}], ["[0]: was \"['a', 'b']\", is \"['a']\""]),
    ],
)
def test_a_moved_number_is_told(now, told):
    assert list(find_differences([{"a": 1, "b": 0.5}], now, 1e-12)) == told
