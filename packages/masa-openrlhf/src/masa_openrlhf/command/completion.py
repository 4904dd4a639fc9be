"""Completion of commands and flags in a shell: a script that names all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from pydantic import BaseModel

from masa_openrlhf.command.invocation import PROGRAM
from masa_openrlhf.config.help import list_flag_names
from masa_openrlhf.config.presets import list_presets
from masa_openrlhf.config.tree import TrainConfig

_SOURCES = ("--preset", "--config")
_OWN = {
    "train": (*_SOURCES, "--resume", "--trust", "--dry-run", "--json", "--force", "--help-all"),
    "plan": (
        *_SOURCES,
        *("--gpus", "--gpu-memory-gib", "--card", "--solution-tokens", "--prediction-tokens"),
        *("--fit", "--json", "--table"),
    ),
    "eval": ("--config", "--resume", "--compare", "--allow-unsandboxed", "--dry-run"),
    "warmup": (*_SOURCES, "--out"),
    "report": ("--out", "--eval"),
    "presets": (),
}

_BASH = """\
_masa_openrlhf() {{
    local word="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}"
    if [ "$COMP_CWORD" = 1 ]; then
        COMPREPLY=($(compgen -W "{commands}" -- "$word"))
    elif [ "$before" = --preset ] || [ "$before" = show ]; then
        COMPREPLY=($(compgen -W "{presets}" -- "$word"))
    elif [ "${{word:0:1}}" != - ]; then
        COMPREPLY=($(compgen -f -- "$word"))
    else
        case "${{COMP_WORDS[1]}}" in
{cases}
        esac
    fi
}}
complete -o filenames -F _masa_openrlhf {program}
"""


def render_completion(shell: str, commands: Sequence[str]) -> str:
    """Return the script that a shell reads to complete our commands and their flags.

    Args:
        shell: bash, zsh or fish.
        commands: the names of the commands.

    Raises:
        ValueError: there is none for this shell.
    """
    if shell not in SHELLS:
        raise ValueError(
            f"there is completion for {', '.join(SHELLS)}, not for {shell!r}; for bash: "
            f"source <({PROGRAM} completion bash)"
        )
    return SHELLS[shell](commands, {name: _list_flags(name) for name in _OWN})


def _render_bash(commands: Sequence[str], flags: Mapping[str, Sequence[str]]) -> str:
    cases = "\n".join(
        f'            {name}) COMPREPLY=($(compgen -W "{" ".join(known)}" -- "$word")) ;;'
        for name, known in flags.items()
    )
    return _BASH.format(
        commands=" ".join(commands),
        presets=" ".join(list_presets()),
        cases=cases,
        program=PROGRAM,
    )


def _render_zsh(commands: Sequence[str], flags: Mapping[str, Sequence[str]]) -> str:
    return f"autoload -U +X bashcompinit && bashcompinit\n{_render_bash(commands, flags)}"


def _render_fish(commands: Sequence[str], flags: Mapping[str, Sequence[str]]) -> str:
    lines = [f"complete -c {PROGRAM} -n __fish_use_subcommand -f -a '{' '.join(commands)}'"]
    for name, known in flags.items():
        seen = f"-n '__fish_seen_subcommand_from {name}'"
        lines += [f"complete -c {PROGRAM} {seen} -l {flag[2:]}" for flag in known]
    return "\n".join(lines) + "\n"


SHELLS: Mapping[str, Callable[[Sequence[str], Mapping[str, Sequence[str]]], str]] = {
    "bash": _render_bash,
    "zsh": _render_zsh,
    "fish": _render_fish,
}


def _list_flags(command: str) -> list[str]:
    config: type[BaseModel] | None = None
    if command in ("train", "plan", "warmup"):
        config = TrainConfig
    if command == "eval":
        from masa_openrlhf.eval.config import EvaluationConfig

        config = EvaluationConfig
    return [*_OWN[command], *(list_flag_names(config) if config is not None else ())]
