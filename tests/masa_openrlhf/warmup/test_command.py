"""What cannot be done is said within seconds, before anything is made."""

import signal

import pytest
from masa_control import Problem
from masa_openrlhf.cli import main
from masa_openrlhf.config.layers import build_config, read_preset
from masa_openrlhf.config.rules import merge_settings
from masa_openrlhf.data.errors import DataError
from masa_openrlhf.warmup.stages import split_problems

DATA = ("--data.train", "d.jsonl")


def run(capsys, *argv):
    with pytest.raises(SystemExit) as end:
        main(["warmup", *argv])
    return end.value.code, capsys.readouterr().err


@pytest.fixture(autouse=True)
def _keep_signals():
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ((), "--out FOLDER"),
        (("--out", "o", "--resume", "x"), "leave --resume out"),
        (("--out", "o"), "no model is named"),
        (("--out", "o", "--preset", "tiny", "--model.path", "m"), "no problems are named"),
        (("--out", "o", "--preset", "tiny", "--model.path", "./m", *DATA), "no folder of a model"),
        (("--out", "full", "--preset", "tiny", "--model.path", "./m", *DATA), "there already"),
        (("--out", "o", "--warmup.epochs", "0"), "epochs"),
        (("--out", "o", "--warmup.epoch", "1"), "did you mean warmup.epochs?"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_made(capsys, tmp_path, monkeypatch, argv, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    status, err = run(capsys, *argv)
    assert status == 2
    assert said in err
    assert "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["full"]


def test_its_help_has_every_setting_of_its_own(capsys):
    main(["warmup", "--help"])
    out = capsys.readouterr().out
    for name in ("out", "warmup.problems", "warmup.held-out", "warmup.solution-key", "warmup.lr"):
        assert f"--{name}" in out
    assert "--solution.max-tokens" not in out
    main(["--help"])
    assert "  warmup    " in capsys.readouterr().out


def config(**warmup):
    return build_config(merge_settings(read_preset("tiny"), {"warmup": warmup}))


def make_problems(count):
    return [Problem(id=str(i), text=f"{i % 30}?", answer="1") for i in range(count)]


def test_problems_kept_apart_are_in_no_demonstration():
    drawn = split_problems(make_problems(60), config(problems=10, held_out=5))
    assert (len(drawn.shown), len(drawn.held_out)) == (10, 5)
    assert not {p.text for p in drawn.shown} & {p.text for p in drawn.held_out}
    assert drawn == split_problems(make_problems(60), config(problems=10, held_out=5))
    assert drawn != split_problems(make_problems(60), config(problems=10, held_out=5, seed=1))
    assert len(split_problems(make_problems(60), config(held_out=5)).shown) == 25
    short = split_problems(make_problems(60), config(held_out=5), lambda one: len(one.text) == 3)
    assert {len(one.text) for side in short for one in side} == {3}


def test_too_few_problems_are_refused():
    with pytest.raises(DataError, match=r"12 of 12 problems are of use.*5 are kept apart"):
        split_problems(make_problems(12), config(held_out=5))
