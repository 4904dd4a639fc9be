"""The options of `masa-rewards score`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from masa_rewards import __version__
from masa_rewards.difficulty import DIFFICULTY_BASE
from masa_rewards.notions.rules import Counting, NotionRules
from masa_rewards.notions.stop_words import ENGLISH_STOP_WORDS
from masa_rewards.prompt.meta_prompt import MetaPrompt
from masa_rewards.score.settings import ScoreSettings
from masa_rewards.score.sources.read import LogSettings
from masa_rewards.score.sources.right_rewards import RIGHT_FROM
from masa_rewards.verify.extraction import Extraction
from masa_rewards.verify.verifier import AnswerVerifier

_ABOUT = """\
Say how well a model foresees its own rollouts, and what a gate that skips
problems would save. FILE is what a training run has logged already:

  TRL               completions/*.parquet (log_completions=True)
  verl              the folder trainer.rollout_data_dir
  prime-rl          rollouts/, verifiers' traces.jsonl
  OpenRLHF          what openrlhf.cli.batch_inference wrote
  anything else     a rollout a row: prompt, text, reward or correct or answer

as JSON lines, a JSON array or parquet; or a problem a line, with predictions:

  {"problem": "...",
   "rollouts": [{"text": "...", "length": 512, "correct": true}, ...],
   "predictions": ["<raw text of an answer to the meta prompt>", ...]}

`length` is in tokens. Without `correct`, the line's `answer` is used to verify
the text. Instead of text, a prediction may be what was read of it:
{"pass_rate": 0.5, "length": 600, "notions": ["..."]}. Without predictions the
groups alone say how much a gate could save at most.
"""
_EXITS = """\
Exit code: 0 if any line could be scored; 1 if none, or the file or the verifier
failed on the way; 2 for wrong usage; 130 if interrupted. Bad lines go to
stderr, with their numbers.
"""


def make_parsers() -> tuple[argparse.ArgumentParser, argparse.ArgumentParser]:
    """Make the parser of the package, and the one of its command `score`."""
    parser = argparse.ArgumentParser(prog="masa-rewards", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    score = commands.add_parser(
        "score",
        help="score a file of predictions, without any training",
        description=_ABOUT,
        epilog=_EXITS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    score.add_argument(
        "files", metavar="FILE", nargs="*", help='or a folder of them; "-" is stdin, *.gz unpacked'
    )
    score.add_argument("--demo", action="store_true", help="score a made-up file, in seconds")
    score.add_argument("--html", metavar="PAGE", help="write a page with figures, in one file")
    score.add_argument("--json", action="store_true", help="print JSON, for machines")
    score.add_argument("--strict", action="store_true", help="stop at the first bad line")
    score.add_argument("--top", type=int, default=10, help="notions to show of each kind (10)")
    _add_logs(score.add_argument_group("how logs are read"))
    _add_prompt(score.add_argument_group("how predictions are read"))
    _add_rules(score.add_argument_group("how they are rewarded"))
    _add_verifier(score.add_argument_group("how answers are verified"))
    return parser, score


def _add_logs(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--reward", metavar="NAME", help="the reward that says what is right")
    group.add_argument(
        "--right-from",
        type=float,
        default=RIGHT_FROM,
        metavar="VALUE",
        help=f"a reward of at least this is right ({RIGHT_FROM})",
    )


def _add_prompt(group: argparse._ArgumentGroup) -> None:
    prompt = MetaPrompt()
    for name, about in (
        ("max_length", "longest length that can be predicted, in tokens"),
        ("min_length", "shortest one"),
        ("scale", "the pass rate is an integer from 0 to this"),
        ("pass_rate_key", "name of the pass rate in the object"),
        ("length_key", "name of the length"),
        ("notions_key", "name of the notions"),
    ):
        default = getattr(prompt, name)
        flag, kind = "--" + name.replace("_", "-"), type(default)
        group.add_argument(flag, type=kind, default=default, help=f"{about} ({default})")


def _add_rules(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--base",
        type=float,
        default=DIFFICULTY_BASE,
        help=f"b of the difficulty reward ({DIFFICULTY_BASE})",
    )
    group.add_argument(
        "--notion-counting", choices=get_args(Counting), default="rollout", help="(rollout)"
    )
    group.add_argument(
        "--notion-min-length", type=int, default=1, help="fewest letters of a notion (1)"
    )
    group.add_argument(
        "--stop-words",
        metavar="FILE",
        help='words that do not count, white space between; "english" is our list',
    )


def _add_verifier(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--workers", type=int, default=2, help="processes (2)")
    group.add_argument("--timeout", type=float, default=5.0, help="seconds a case (5)")
    group.add_argument(
        "--extraction",
        choices=get_args(Extraction),
        default="boxed",
        help='what states an answer: a box, or "the answer is ..." too (boxed)',
    )


def read_settings(options: argparse.Namespace) -> ScoreSettings:
    """Read the settings off parsed options.

    Raises:
        ValueError: If one is out of its range.
        OSError: If the stop list cannot be read.
    """
    names = ("max_length", "min_length", "scale", "pass_rate_key", "length_key", "notions_key")
    prompt = MetaPrompt(**{name: getattr(options, name) for name in names})
    rules = NotionRules(
        counting=options.notion_counting,
        min_length=options.notion_min_length,
        stop_words=_read_stop_words(options.stop_words),
    )
    return ScoreSettings(prompt=prompt, base=options.base, notion_rules=rules, top=options.top)


def read_log_settings(options: argparse.Namespace, settings: ScoreSettings) -> LogSettings:
    """Read off parsed options how logs are read."""
    return LogSettings(settings.prompt, options.reward, options.right_from)


def _read_stop_words(name: str | None) -> frozenset[str]:
    if name is None:
        return frozenset()
    if name == "english":
        return ENGLISH_STOP_WORDS
    return frozenset(Path(name).read_text(encoding="utf-8").split())


def make_verifier(options: argparse.Namespace) -> AnswerVerifier:
    """Make the verifier that parsed options ask for.

    Raises:
        ValueError: If one is out of its range.
    """
    return AnswerVerifier(
        workers=options.workers, timeout=options.timeout, extraction=options.extraction
    )
