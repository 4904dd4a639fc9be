"""The help of ``masa-openrlhf eval``."""

from __future__ import annotations

from masa_openrlhf.config.help import render_settings
from masa_openrlhf.eval.benchmarks.registry import FAMILIES
from masa_openrlhf.eval.config import EvaluationConfig

_HEAD = """\
usage: masa-openrlhf eval MODEL [--benchmarks NAMES] [--data DIR] [--config FILE.toml ...]
                          [--problems SOURCE] [--like PRESET]
                          [--resume DIR] [--compare DIR] [--allow-unsandboxed] [--dry-run]
                          [settings]

  MODEL            hub name, folder of a model, folder of a run (its model/ is taken), or tiny:
                   the tiny model, made on the spot
  --benchmarks     {families}, or names with commas between:
{names}
                   and tiny, for MODEL tiny and runs on the tiny problems
  --problems SOURCE
                   problems of your own: a file, a folder, a hub name, reasoning_gym:TASK,...
  --like PRESET    ask as this preset or TOML file of train would; for a model of no run
  --data DIR       local files, each in its hub's form; what is not there comes from the hub
  --config FILE    settings of a TOML file; may be given again
  --resume DIR     go on with an evaluation: questions that have their answers are not asked again
  --compare DIR    hold it against another evaluation, question by question; with --resume and
                   nothing left to ask no model is started
  --allow-unsandboxed
                   run a model's code even where its limits do not hold
  --dry-run        print the settings and what would be asked, and end

Settings and their defaults, the paper's:

"""


def render_eval_help() -> str:
    """Return the whole help of ``masa-openrlhf eval``."""
    names = "\n".join(
        " " * 19 + ", ".join(entry.name for entry in FAMILIES[family])
        for family in ("maths", "logic", "science", "code")
    )
    return _HEAD.format(families=", ".join(FAMILIES), names=names) + render_settings(
        EvaluationConfig
    )
