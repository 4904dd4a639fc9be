"""A model that knows nothing learns both forms by the command: real vLLM, real Trainer."""

import json

import pytest
from masa_openrlhf.cache import fill_once
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.tiny.demonstrations import write_solution_demo
from masa_openrlhf.tiny.task import make_problems
from masa_openrlhf.warmup.training import TrainingFailedError, train_stage
from masa_openrlhf.warmup.worker import TrainingJob

from tests.stack import command_runs

pytestmark = [
    pytest.mark.timeout(1500),
    pytest.mark.filterwarnings("ignore:The pynvml package is deprecated:FutureWarning"),
    pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning"),
]

PROBLEMS, HELD_OUT = 128, 16


def make_untrained(folder):
    """A quarter of a million parameters that were never trained, with their tokenizer."""
    import torch
    from masa_openrlhf.tiny.model import make_model
    from masa_openrlhf.tiny.tokenizer import make_tokenizer

    tokenizer = make_tokenizer()
    make_model(tokenizer, seed=0).to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def write_problems(path):
    """Chains of sums and differences, each with its worked solution."""
    import random

    rng = random.Random(0)
    problems = make_problems(PROBLEMS + HELD_OUT, seed=5, kinds=("easy", "carry"))
    rows = [
        {
            "problem": problem.problem,
            "answer": problem.answer,
            "solution": write_solution_demo(problem, rng, careful=True),
        }
        for problem in problems
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    where = tmp_path_factory.mktemp("warmup")
    model = fill_once(where / "model", make_untrained)
    data, out = where / "problems.jsonl", where / "warm"
    write_problems(data)
    arguments = ("--preset=tiny", "--model.path", str(model), "--data.train", str(data))
    arguments += ("--out", str(out), "--meta.max-tokens=64", "--warmup.lr=6e-3")
    arguments += (f"--warmup.problems={PROBLEMS}", f"--warmup.held-out={HELD_OUT}")
    arguments += ("--warmup.epochs=20", "--warmup.rollouts=4", "--warmup.batch-tokens=1536")
    with command_runs.start_command("warmup", *arguments, log=where / "out.txt") as run:
        status = run.wait(1400)
        left = run.left_behind()
    assert status == 0, run.output
    report = json.loads((out / "warmup.json").read_text())
    shown = [json.loads(line) for line in (out / "demonstrations.jsonl").read_text().splitlines()]
    return {"out": out, "where": where, "said": run.output, "left": left, **report, "shown": shown}


def test_what_could_not_be_read_can_be_read(story):
    before, after = story["before"], story["after"]
    assert before["readable_answers"] < 0.1
    assert max(before["readable_parts"].values()) < 0.1
    shares = [after["readable_answers"], *after["readable_parts"].values()]
    assert min(shares) > 0.9, after
    assert story["reached"] == (min(shares) >= 0.95) == ("the aim is reached" in story["said"])
    assert sum(after["pass_rates"].values()) == HELD_OUT
    assert max(map(float, after["pass_rates"])) > 0


def test_the_demonstrations_can_be_looked_at(story):
    kinds = [one["kind"] for one in story["shown"]]
    assert kinds == ["solution"] * PROBLEMS + ["meta"] * PROBLEMS
    assert all("\\boxed{" in one["response"] for one in story["shown"][:PROBLEMS])


def test_the_folder_is_a_model_that_train_takes(story):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(story["out"])
    assert str(model.dtype) == "torch.bfloat16"
    assert model.num_parameters() < 400_000
    assert AutoTokenizer.from_pretrained(story["out"]).chat_template
    assert TrainConfig.model_validate(story["settings"]).warmup.epochs == 20
    names = {path.name for path in story["out"].iterdir()}
    assert {"warmup.json", "demonstrations.jsonl", "log.txt"} <= names


def test_nothing_is_left_behind(story):
    assert story["left"] == []
    assert {path.name for path in story["where"].iterdir()} == {
        "model",
        "out.txt",
        "problems.jsonl",
        "warm",
    }


def test_a_training_that_dies_says_its_last_words(tmp_path):
    job = TrainingJob(
        model=str(tmp_path / "nowhere"),
        out=str(tmp_path / "out"),
        demonstrations=[([1, 2], [3])],
        pad=0,
        epochs=1,
        lr=None,
        batch_tokens=64,
        max_norm=1.0,
        checkpointing=False,
        on_cpu=True,
        seed=0,
    )
    log = tmp_path / "log.txt"
    with pytest.raises(
        TrainingFailedError, match=r"status 1; all it said: .*log.txt[\s\S]*nowhere"
    ):
        train_stage(job, tmp_path / "job.json", log, lambda *_: None)
    assert "Traceback" in log.read_text()
    assert not (tmp_path / "out").exists()


def test_one_that_is_ended_leaves_its_log_alone(story, tmp_path):
    arguments = ("--preset=tiny", "--model.path", str(story["where"] / "model"))
    arguments += ("--data.train", str(story["where"] / "problems.jsonl"))
    arguments += ("--out", str(tmp_path / "warm"))
    out = tmp_path / "warm.log"
    with command_runs.start_command("warmup", *arguments, log=tmp_path / "out.txt") as run:
        run.wait_until(out.exists)  # vLLM is being started
        run.process.terminate()
        assert run.wait(200) == 143
        assert run.left_behind() == []
    assert {path.name for path in tmp_path.iterdir()} == {"out.txt", "warm.log"}
