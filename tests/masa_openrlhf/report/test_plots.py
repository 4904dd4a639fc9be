import re
from functools import partial

import pytest
from masa_openrlhf.report.analysis.curves import Curve
from masa_openrlhf.report.line_plots import GroupLine, draw_lines, smooth_curve
from masa_openrlhf.report.plots import COLOURS, draw_plot
from masa_openrlhf.report.section import Plot


def curve(*accuracy, tokens=0.0):
    count = range(len(accuracy))
    steps = tuple(map(float, count))
    return Curve(tuple(tokens + i for i in count), steps, steps, accuracy)


def drawn(*groups, by="tokens"):
    lines = [GroupLine(f"group {place}", place, curves) for place, curves in enumerate(groups)]
    paint = partial(draw_lines, lines=lines, by=by, label="accuracy", shares=True, from_zero=True)
    return draw_plot(Plot("a-key", "What <it> shows", paint, legend=len(lines)))


def test_a_picture_in_the_page_takes_the_pages_colours():
    svg = drawn([curve(0.2, 0.4)]).svg
    assert svg.startswith('<svg viewBox="0 20.16 309.6 ')
    assert 'aria-label="What &lt;it&gt; shows"' in svg
    assert "var(--c0)" in svg
    assert COLOURS[0] not in svg
    assert "currentColor" in svg
    assert "group 0" in svg  # as text, not as shapes
    assert not re.search("https?:|xlink|metadata", svg)
    assert all(one.startswith("a-key-") for one in re.findall(r'\bid="([^"]*)"', svg))


def test_the_same_picture_twice_is_the_same():
    assert drawn([curve(0.2, 0.4)]) == drawn([curve(0.2, 0.4)])


def test_values_are_shown_where_they_are_drawn():
    svg = drawn([curve(0.2, 0.4, 0.3)]).svg
    shown = re.findall(r'<circle cx="(\S+)" cy="(\S+)" r="4"><title>(.*?)</title>', svg)
    assert [text for *_, text in shown] == [
        "group 0: 2, 30.0 %",
        "group 0: 1, 40.0 %",
        "group 0: 0, 20.0 %",
    ]
    lines = re.findall(r'<path d="(M [^"]*)"[^>]*var\(--c0\)', svg)
    drawn_at = [tuple(map(float, at)) for d in lines for at in re.findall(r"[ML] (\S+) (\S+)", d)]
    for x, y, _ in shown:
        assert any((float(x), float(y)) == pytest.approx(at, abs=0.1) for at in drawn_at)


def test_of_a_long_line_some_values_are_shown_and_the_last():
    svg = drawn([curve(*(0.001 * i for i in range(500)))]).svg
    shown = re.findall(r"<title>(.*?)</title>", svg)
    assert 50 <= len(shown) <= 60
    assert shown[0] == "group 0: 499, 49.9 %"


def test_runs_without_a_place_in_common_are_drawn_one_by_one():
    svg = drawn([curve(0.2, 0.4), curve(0.3, 0.5, tokens=50.0)]).svg
    assert svg.count("var(--c0)") >= 2
    assert "group 0" in svg


def test_nothing_to_draw_is_drawn():
    assert drawn([curve()]).png.startswith(b"\x89PNG")


def test_means_over_a_window_stand_at_its_last_point():
    level = smooth_curve(curve(0.2, 0.4, 0.9), 2)
    assert level.steps == (1.0, 2.0)
    assert [round(value, 6) for value in level.accuracy] == [0.3, 0.65]
    assert len(smooth_curve(curve(), 3)) == 0
    assert smooth_curve(curve(0.2), 5).accuracy == (0.2,)
