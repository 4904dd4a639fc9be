"""No number of a batch moves while code does: see ``tests/golden``."""

import pytest

from tests.golden.files import STACK_FILES, check_golden


@pytest.mark.parametrize("name", STACK_FILES)
def test_numbers_are_what_they_were(importable_here, name):
    check_golden(name, STACK_FILES[name])
