"""No number moves while code does: see ``tests/golden``."""

import pytest

from tests.golden.files import FILES, FOLDER, STACK_FILES, check_golden, find_differences


@pytest.mark.parametrize("name", FILES)
def test_numbers_are_what_they_were(name):
    check_golden(name, FILES[name])


def test_every_golden_file_is_made_by_something():
    assert {path.stem for path in FOLDER.glob("*")} == {*FILES, *STACK_FILES}


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
