"""The results as a part of a page: one section with its own style and nothing from outside.

A report takes it in as it is: ``section(results)`` returns a ``<section>`` whose style is held to
it by its class, without scripts, links or images.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from masa_openrlhf.eval.render.terminal import (
    LEGEND,
    META_LEGEND,
    format_warnings,
    interval_text,
    meta_warnings,
    number_text,
    share_text,
)
from masa_openrlhf.eval.results.comparison import Comparison
from masa_openrlhf.eval.results.summary import Results

_STYLE = """\
.masa-eval { font: 15px/1.5 system-ui, sans-serif; overflow-x: auto; }
.masa-eval table { border-collapse: collapse; margin: 0.5em 0; }
.masa-eval th, .masa-eval td { padding: 0.25em 0.8em; text-align: right; }
.masa-eval th { border-bottom: 1px solid; }
.masa-eval th:first-child, .masa-eval td:first-child { text-align: left; }
.masa-eval .note { opacity: 0.7; font-size: 0.9em; }
.masa-eval .warning { color: #a40; }
"""


def render_html(results: Results) -> str:
    """Return the results as one HTML ``<section>``.

    Args:
        results: of an evaluation.
    """
    settings = results.settings
    how = (
        f"{settings['samples']} answers a question, temperature {settings['temperature']:g}, "
        f"at most {settings['max_tokens']:,} tokens, seed {settings['seed']}; "
        + ", ".join(f"{name} {version}" for name, version in results.versions.items())
    )
    parts = [
        f"<h2>Evaluation of {escape(results.model)}</h2>",
        _render_scores(results),
        *_render_notes("note", (LEGEND, how)),
        *_render_notes("warning", _list_warnings(results)),
    ]
    if results.meta:
        parts += [
            "<h3>Meta-awareness</h3>",
            _render_meta(results),
            *_render_notes("note", (META_LEGEND,)),
        ]
    if results.comparison is not None:
        other = escape(results.comparison.model_before)
        parts += [f"<h3>Against {other}</h3>", _render_comparison(results.comparison)]
    body = "\n".join(parts)
    return f'<section class="masa-eval">\n<style>\n{_STYLE}</style>\n{body}\n</section>\n'


def _render_scores(results: Results) -> str:
    ks = sorted({int(k) for one in results.benchmarks for k in one.pass_at})
    heads = ["benchmark", "questions", *(f"pass@{k}" for k in ks)]
    heads += ["±runs", "tokens an answer", "cut off", "unread"]
    rows = [
        [
            one.title,
            str(one.questions),
            *(interval_text(one.pass_at.get(str(k))) for k in ks),
            share_text(one.spread.std),
            number_text(one.mean_tokens, ",.0f"),
            share_text(one.truncated),
            share_text(one.unparsable),
        ]
        for one in results.benchmarks
    ]
    rows += [[f"mean, {name}", "", share_text(mean)] for name, mean in results.means.items()]
    return _render_table(heads, rows)


def _render_meta(results: Results) -> str:
    heads = ["benchmark", "predictions", "Brier", "of the mean", "correlation", "length error"]
    rows = [
        [
            name,
            str(one.predictions),
            number_text(one.pass_rate.error.brier),
            number_text(one.pass_rate.baseline.brier),
            number_text(one.pass_rate.correlation, "+.2f"),
            share_text(one.length_error),
            number_text(one.gate.precision, ".2f"),
            number_text(one.gate.recall, ".2f"),
            number_text(one.gate.f1, ".2f"),
        ]
        for name, one in results.meta.items()
    ]
    return _render_table([*heads, "gate precision", "recall", "F1"], rows)


def _render_comparison(comparison: Comparison) -> str:
    heads = ["benchmark", "questions", "before", "now", "gain", "better", "worse"]
    return _render_table(
        heads,
        [
            [
                one.benchmark,
                str(one.questions),
                share_text(one.before),
                share_text(one.now),
                interval_text(one.gain, sign="+"),
                str(one.better),
                str(one.worse),
            ]
            for one in comparison.benchmarks
        ],
    )


def _list_warnings(results: Results) -> Iterable[str]:
    if not results.complete:
        yield "The evaluation was stopped: not every question has been asked."
    for one in results.benchmarks:
        if said := format_warnings(one):
            yield f"{one.title}: {said}"
    yield from meta_warnings(results)
    for limit in results.unlimited:
        yield f"Programs ran without this limit (--allow-unsandboxed): {limit}"


def _render_notes(kind: str, texts: Iterable[str]) -> list[str]:
    return [f'<p class="{kind}">{escape(text)}</p>' for text in texts]


def _render_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = "\n".join(
        "<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in rows
    )
    return f"<table>\n<tr>{head}</tr>\n{body}\n</table>"
