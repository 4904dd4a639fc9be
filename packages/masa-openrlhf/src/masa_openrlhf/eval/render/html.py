"""The results as a part of a page: one section with its own style and nothing from outside.

A report takes it in as it is: ``render_html(results)`` returns a ``<section>`` whose style is held
to it by its class, without scripts, links or images.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from masa_openrlhf.eval.render.columns import (
    COMPARED_COLUMNS,
    META_COLUMNS,
    list_mean_rows,
    list_meta_rows,
    list_score_columns,
    write_table,
)
from masa_openrlhf.eval.render.terminal import (
    LEGEND,
    META_LEGEND,
    format_warnings,
    list_meta_warnings,
)
from masa_openrlhf.eval.results.summary import Results


def render_html(results: Results) -> str:
    """Return the results as one HTML ``<section>``. All texts of a model or of data are escaped.

    Args:
        results: of an evaluation.
    """
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("masa_openrlhf.eval.render", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
    )
    scores = write_table(list_score_columns(results), results.benchmarks, "page")
    comparison = results.comparison
    values: dict[str, Any] = {
        "results": results,
        "scores": scores._replace(rows=scores.rows + list_mean_rows(results)),
        "how": _describe_settings(results),
        "legend": LEGEND,
        "warnings": list(_list_warnings(results)),
        "meta": results.meta and write_table(META_COLUMNS, list_meta_rows(results), "page"),
        "meta_legend": META_LEGEND,
        "compared": comparison and write_table(COMPARED_COLUMNS, comparison.benchmarks, "page"),
    }
    return environment.get_template("results.html").render(values)


def _describe_settings(results: Results) -> str:
    settings = results.settings
    return (
        f"{settings['samples']} answers a question, temperature {settings['temperature']:g}, "
        f"at most {settings['max_tokens']:,} tokens, seed {settings['seed']}; "
        + ", ".join(f"{name} {version}" for name, version in results.versions.items())
    )


def _list_warnings(results: Results) -> Iterator[str]:
    if not results.complete:
        yield "The evaluation was stopped: not every question has been asked."
    for one in results.benchmarks:
        if said := format_warnings(one):
            yield f"{one.title}: {said}"
    yield from list_meta_warnings(results)
    for limit in results.unlimited:
        yield f"Programs ran without this limit (--allow-unsandboxed): {limit}"
