import json

from masa_openrlhf.report.groups import group_runs, list_differences
from masa_openrlhf.report.runs import read_run

from tests.masa_openrlhf.report import factories


def runs(tmp_path, **configs):
    for name, config in configs.items():
        factories.make_run(tmp_path / name, **config)
    return [read_run(tmp_path / name) for name in configs]


def names(groups):
    return [(group.name, [run.name for run in group.runs]) for group in groups]


def test_seeds_are_pooled_and_modes_are_not(tmp_path):
    found = runs(
        tmp_path,
        c={"mode": "masa", "seed": 2, "name": "other", "tiny": {"seed": 2}},
        b={"mode": "grpo", "meta": {"weight": 0.5}},
        d={"mode": "grpo"},
        a={"mode": "masa", "log": {"episodes": 9}, "cluster": {"engines": 2}},
    )
    assert names(group_runs(found)) == [("grpo", ["b", "d"]), ("masa", ["a", "c"])]


def test_groups_of_one_mode_are_named_by_what_differs(tmp_path):
    found = runs(
        tmp_path,
        a={"meta": {"weight": 0.2}},
        b={"meta": {"weight": 1.0}},
        c={"mode": "grpo", "optim": {"lr": 1e-3}},
    )
    groups = group_runs(found)
    assert names(groups) == [
        ("grpo", ["c"]),
        ("masa, meta.weight 0.2", ["a"]),
        ("masa, meta.weight 1.0", ["b"]),
    ]
    assert list_differences(groups) == [
        ("meta.weight", ["–", "0.2", "1.0"]),
        ("optim.lr", ["0.001", "1e-06", "1e-06"]),
    ]


def test_how_far_a_run_goes_counts_where_the_learning_rate_follows_it(tmp_path):
    def two(schedule):
        steps = {
            f"{schedule}-{n}": {"max_steps": n, "optim": {"schedule": schedule}} for n in (5, 9)
        }
        return group_runs(runs(tmp_path, **steps))

    assert len(two("constant_with_warmup")) == 1
    assert len(two("cosine_with_min_lr")) == 2


def test_a_model_made_on_the_spot_lies_in_each_run_and_is_the_same(tmp_path):
    found = runs(
        tmp_path,
        a={"model": {"path": str(tmp_path / "a" / "first-model")}},
        b={"model": {"path": str(tmp_path / "b" / "first-model")}, "seed": 1},
    )
    assert len(group_runs(found)) == 1


def test_an_older_run_has_what_came_since_at_its_default(tmp_path):
    factories.make_run(tmp_path / "new", seed=1)
    old = factories.make_run(tmp_path / "old")
    settings = json.loads(old.config.read_text())
    del settings["hints"], settings["meta"]["signals"]
    old.config.write_text(json.dumps(settings))
    assert len(group_runs([read_run(tmp_path / "old"), read_run(tmp_path / "new")])) == 1
