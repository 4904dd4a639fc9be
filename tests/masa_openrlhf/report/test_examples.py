from masa_openrlhf.report.groups import group_runs
from masa_openrlhf.report.runs import read_run
from masa_openrlhf.report.sections import examples

from tests.masa_openrlhf.report import factories


def section(*folders):
    return examples.examples_section(group_runs([read_run(folder.path) for folder in folders]))


def test_an_early_a_late_and_a_skipped_one(tmp_path):
    folder = factories.make_run(tmp_path / "a")
    factories.write_episodes(
        folder, 1, factories.make_episode("even", right=2, wrong=2), factories.make_episode("odd?")
    )
    factories.write_episodes(
        folder,
        9,
        factories.make_episode("all right", wrong=0),
        factories.make_episode("most", right=3),
    )
    skipped = factories.make_episode("skip", right=0, wrong=0, decided="skipped as trivial")
    factories.write_episodes(folder, 10, skipped)
    found = section(folder).examples
    assert [(one.title, one.problem) for one in found] == [
        ("step 1, early", "even"),
        ("step 9, late", "most"),
        ("step 10, skipped by the gate", "skip"),
    ]
    assert found[1].of_solutions == "3 of 4 solutions right"
    assert [one.verdict for one in found[1].solutions] == ["correct", "incorrect"]
    assert found[2].decided == "skipped as trivial"
    assert found[2].of_solutions == "0 of 0 solutions right"
    said, unread = found[0].predictions
    assert (said.pass_rate, said.length, said.notions) == ("0.50", "12", "carry, sum")
    assert said.rewards == ("1.00", "0.25", "0.50", "0.75")
    assert (unread.notions, unread.rewards) == ("–", ("–",) * 4)


def test_long_texts_are_shortened(tmp_path):
    folder = factories.make_run(tmp_path / "a")
    factories.write_episodes(folder, 1, factories.make_episode(text="a" * 1000 + "b" * 1001))
    text = section(folder).examples[0].solutions[0].text
    assert text == "a" * 750 + "\n[… 501 characters …]\n" + "b" * 750


def test_no_episodes_and_broken_ones(tmp_path):
    folder = factories.make_run(tmp_path / "a")
    assert "no episode was written" in section(folder).missing[0]
    (folder.path / "episodes" / "step-000001.json").write_text('[{"problem"')
    (folder.path / "episodes" / "step-000002.json").write_text('[3, {"pass_rate": 0.5}]')
    (folder.path / "episodes" / "step-last.json").write_text("{}")
    (one,) = section(folder).examples
    assert (one.title, one.solutions) == ("step 2, early", ())


def test_another_run_of_the_group_stands_in(tmp_path):
    bare, full = factories.make_run(tmp_path / "a"), factories.make_run(tmp_path / "b", seed=1)
    factories.write_episodes(full, 1, factories.make_episode())
    assert len(section(bare, full).examples) == 1
