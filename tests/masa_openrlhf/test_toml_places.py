"""The line of a setting in a TOML file, however it is written there."""

import pytest
from masa_openrlhf.config.toml_places import find_setting_line

TEXT = """\
# batch.problems = 9
seed = 1
meta.rollouts = 8

[batch]
problems = 3   # a comment
"train_micro" = 4

[meta . prompt]
wording = \'\'\'
problems = 5
\'\'\'

[gate]
rule = "audited"
[data]
train = { path = "x", key = "y" }
"""


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("seed", 2),
        ("meta.rollouts", 3),
        ("batch.problems", 6),
        ("batch.train_micro", 7),
        ("meta.prompt", 9),
        ("meta.prompt.wording", 10),
        ("gate.rule", 15),
        ("data.train.key", 17),
        ("optim.lr", None),
        ("problems", None),
    ],
)
def test_the_line_is_found(name, line):
    assert find_setting_line(TEXT, name) == line
