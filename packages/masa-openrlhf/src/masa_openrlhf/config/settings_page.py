"""The page of all settings, as Markdown: ``python -m masa_openrlhf.config.settings_page``.

A test compares what it prints with ``docs/reference/settings.md``.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from masa_openrlhf.config.help import format_default, format_kind, list_models, read_first_line
from masa_openrlhf.config.rules import list_alternatives
from masa_openrlhf.config.tree import TrainConfig

_HEAD = """\
# Settings

Generated from the code by `python -m masa_openrlhf.config.settings_page`. A setting is written
`section.name` in a TOML file and `--section.name` on the command line, with `-` or `_` between
words. A preset lies over these defaults, a file over the preset, a flag over the file.
`masa-openrlhf train --dry-run` prints what a run would use.

A section with a *rule* has the settings of the rule that is chosen.
"""


def render_settings_page() -> str:
    """Return the page: a table a section, a table a rule where a section has several."""
    return "\n".join([_HEAD, *_render_section("", TrainConfig, "")])


def _render_section(name: str, model: type[BaseModel], about: str) -> Iterator[str]:
    plain = {
        key: field
        for key, field in model.model_fields.items()
        if not list_models(field.annotation) and key not in ("openrlhf", "rule")
    }
    nested = {
        key: field for key, field in model.model_fields.items() if list_models(field.annotation)
    }
    if plain or about:
        yield from (f"## {name or 'The run'}", "")
    if about:
        yield from (about, "")
    if plain:
        yield from _render_table(plain)
    for key, field in nested.items():
        inner = f"{name}.{key}" if name else key
        if list_alternatives(inner):
            yield from _render_rules(inner)
            continue
        (section,) = list_models(field.annotation)
        yield from _render_section(inner, section, read_first_line(section))


def _render_rules(name: str) -> Iterator[str]:
    rules = list_alternatives(name)
    yield from (f"## {name}", "", f"`{name}.rule` is one of:", "")
    for rule, model in rules.items():
        described = " ".join((model.model_fields["rule"].description or "").split())
        default = " (default)" if rule == next(iter(rules)) else ""
        yield f"- `{rule}`{default}: {described.removeprefix(f'{rule}: ')}"
    yield ""
    for rule, model in rules.items():
        own = {key: field for key, field in model.model_fields.items() if key != "rule"}
        if own:
            yield from (f"### {name}, rule {rule}", "", *_render_table(own))


def _render_table(fields: dict[str, FieldInfo]) -> Iterator[str]:
    yield from ("| setting | type | default | |", "|---|---|---|---|")
    for key, field in fields.items():
        default = format_default(field.get_default(call_default_factory=True))
        kind = format_kind(field.annotation) or "true, false"
        about = " ".join((field.description or "").split())
        cells = (f"`{key}`", f"`{kind}`", f"`{default}`", about)
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""


if __name__ == "__main__":
    sys.stdout.write(render_settings_page())
