import re
from html.parser import HTMLParser

import pytest
from masa_control import CalibrationPoints
from masa_openrlhf.report.page import write_report
from masa_openrlhf.report.plots import RenderedPlot
from masa_openrlhf.report.runs import ReportError, read_run
from masa_rewards.notions.rules import NotionCount

from tests.masa_openrlhf.report import factories

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Outline(HTMLParser):
    """What is on a page: tags that are closed, ids, references, text."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.references, self.tags, self.said = [], [], [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value)
            if name in ("src", "href", "data", "srcset", "poster"):
                self.references.append(value)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.said.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.said).split())


@pytest.fixture
def quick(monkeypatch):
    """Nothing is drawn: what the page says does not depend on it."""
    drawn = RenderedPlot("<svg></svg>", b"")
    monkeypatch.setattr("masa_openrlhf.report.page.draw_plots", lambda all_: [drawn] * len(all_))


def page(tmp_path, *folders, evals=()):
    written = write_report([read_run(f.path) for f in folders], tmp_path / "out", evals)
    return Outline(written.page.read_text("utf-8")), written


def full(path, **config):
    """A run that has all there is."""
    folder = factories.make_run(path, steps=60, evals=(0, 20, 40, 60), gain=0.01, **config)
    for step in range(1, 61):
        pairs = CalibrationPoints([(0.1, 0.2), (step / 60, 0.5)], [(9.0, 12.0)])
        folder.write_calibration(step, "train", pairs)
        lead = 30 if step > 30 else 10
        folder.write_notions(step, {"vieta <formula>": NotionCount(lead, 10, 40, 40)})
    factories.write_episodes(folder, 1, factories.make_episode())
    return folder


def test_one_run(tmp_path):
    found, written = page(tmp_path, full(tmp_path / "a"))
    assert found.open == []
    assert "Right solutions on held-out problems 20.0 % → 80.0 % (+60.0 points)." in found.text
    assert "This is one run" in found.text
    names = {file.stem for file in written.pictures}
    assert {"accuracy-tokens", "accuracy-steps", "accuracy-seconds", "reward-notion"} <= names
    assert {"calibration-0-length-before", "tokens", "notions-0"} <= names
    for file in written.pictures:
        assert file.parent == written.page.parent
        assert file.read_bytes().startswith(b"\x89PNG")


def test_nothing_comes_from_a_network_and_no_id_stands_twice(tmp_path):
    """Whatever is referred to lies in the page itself."""
    found, written = page(
        tmp_path, full(tmp_path / "a"), full(tmp_path / "b", mode="grpo"), full(tmp_path / "c")
    )
    text = written.page.read_text("utf-8")
    # But for the paper, which is fetched when somebody asks for it, not when the page is opened.
    text = text.replace('<a href="https://arxiv.org/abs/2510.03259">', "<a>")
    assert not re.search(r"https?:|//|@import|<script|<iframe|<img", text)
    assert not {"script", "link", "img", "iframe"} & found.tags
    assert len(set(found.ids)) == len(found.ids)
    elsewhere = [ref for ref in found.references if not ref.startswith("#")]
    paper = "https://arxiv.org/abs/2510.03259"
    assert paper in elsewhere
    assert all((written.page.parent / ref).exists() for ref in elsewhere if ref != paper)
    assert {"../a/", "../b/", "../c/", "accuracy-tokens.png"} <= set(elsewhere)
    inside = {ref[1:] for ref in found.references if ref.startswith("#")}
    assert inside <= set(found.ids)
    assert set(re.findall(r"url\(#([^)]*)\)", text)) <= set(found.ids)


def test_what_a_model_wrote_is_text_and_nothing_else(tmp_path, quick):
    hostile = '</pre><script>alert("x")</script><img src=x onerror=alert(1)>{{ 7 * 7 }}'
    folder = full(tmp_path / "a")
    rows = factories.make_episode(hostile, text=hostile, decided=hostile, notion=hostile)
    factories.write_episodes(folder, 1, {**rows, "answer": hostile})
    folder.write_notions(61, {})
    for step in range(61, 121):
        folder.write_notions(step, {hostile: NotionCount(30 if step > 90 else 10, 10, 40, 40)})
    found, _ = page(tmp_path, folder)
    assert found.open == []
    assert not {"script", "img"} & found.tags
    assert found.text.count('alert("x")') >= 5  # problem, answer, plan, notions, two solutions
    assert "{{ 7 * 7 }}" in found.text


def test_names_of_runs_are_escaped_too(tmp_path, quick):
    found, _ = page(tmp_path, factories.make_run(tmp_path / "a<b>&"))
    assert "b" not in found.tags
    assert "a<b>&" in found.text


def test_several_runs_of_several_modes(tmp_path, quick):
    folders = [full(tmp_path / f"m{seed}", seed=seed) for seed in range(3)]
    folders += [full(tmp_path / f"g{seed}", mode="grpo", seed=seed) for seed in range(2)]
    found, _ = page(tmp_path, *folders)
    assert "5 runs compared" in found.text
    assert "Compared are grpo and masa." in found.text
    assert "A band is the 95 % interval" in found.text
    assert "Two runs are drawn thin" in found.text
    # The baseline makes 80 tokens a step and masa 100: 1.25 times the tokens at each accuracy.
    assert "have a seed in common" not in found.text
    assert "tokens relative to grpo" in found.text
    assert "2 pairs 1.25 [1.25, 1.25]" in found.text


def test_the_baseline_has_no_section_of_predictions(tmp_path, quick):
    found, _ = page(tmp_path, factories.make_run(tmp_path / "a", mode="grpo"))
    assert "#accuracy" in found.references
    assert not {"#rewards", "#calibration", "#notions", "#decisions"} & set(found.references)


def test_a_run_without_evaluations_shows_its_training(tmp_path, quick):
    found, _ = page(tmp_path, factories.make_run(tmp_path / "a", evals=()))
    assert "too few evaluations on held-out problems" in found.text
    assert "No change of accuracy can be told" in found.text


def test_one_of_several_without_evaluations_is_named(tmp_path, quick):
    found, _ = page(
        tmp_path,
        factories.make_run(tmp_path / "a"),
        factories.make_run(tmp_path / "b", evals=(), seed=1),
    )
    assert "without a curve: b." in found.text


def test_a_run_that_has_only_begun(tmp_path, quick):
    for mode in ("masa", "grpo", "masa-efficient"):
        folder = factories.make_run(tmp_path / mode, steps=0, evals=(), mode=mode)
        (folder.path / "events.jsonl").unlink()
        found, _ = page(tmp_path, folder)
        assert "has not taken a step (0 of ? steps)" in found.text
        assert "No step was taken yet." in found.text


def test_a_run_that_stopped_and_one_with_broken_lines(tmp_path, quick):
    stopped = factories.make_run(tmp_path / "stopped", steps=4, evals=(0,))
    stopped.event("trained", reason="asked to stop", step=4)
    broken = factories.make_run(tmp_path / "broken", seed=1)
    with open(broken.path / "metrics.jsonl", "ab") as file:
        file.write(b'{"step": 11, "solution/pa\n{"step": 12, "meta/reward_notion": NaN}\n')
    found, _ = page(tmp_path, stopped, broken)
    assert "stopped: stopped early, on request (4 of 4 steps)" in found.text
    assert "broken: 1 line of metrics.jsonl cannot be read." in found.text


def test_an_evaluation_that_cannot_be_read(tmp_path, quick):
    folder = factories.make_run(tmp_path / "a")
    lying = folder.path / "eval" / "results.json"
    lying.parent.mkdir()
    lying.write_text("{}")
    found, _ = page(tmp_path, folder)
    assert "cannot be read as results of masa-openrlhf eval" in found.text
    for named in (lying, tmp_path / "nothing"):
        with pytest.raises(ReportError, match=re.escape(str(named))):
            page(tmp_path, folder, evals=[named])
