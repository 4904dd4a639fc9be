"""A model is asked a user's own problems, in the wording of a preset, of a run or of a warm-up."""

import json

import pytest
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.eval.benchmarks.registry import choose_benchmarks
from masa_openrlhf.eval.command import load_benchmarks, settle_prediction_limit
from masa_openrlhf.eval.config import EvaluationConfig
from masa_openrlhf.eval.engine.model_source import find_model
from masa_openrlhf.eval.errors import EvalError
from masa_openrlhf.eval.graders.maths import MathsGrader
from masa_openrlhf.eval.graders.own import OwnGrader
from masa_openrlhf.procedural.scorer import TaskScorer
from masa_rewards import AnswerVerifier


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "llama"}')
    return folder


def ask(model, **settings):
    config = EvaluationConfig(model=str(model), **settings)
    (asked,) = load_benchmarks(choose_benchmarks(config.chosen), config, find_model(config))
    return asked.questions


def test_a_file_is_asked_as_a_preset_asks(tmp_path, model):
    file = tmp_path / "mine.jsonl"
    rows = [{"question": f"{n} + 1?", "answer": f"So.\n#### {n + 1}"} for n in range(4)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    questions = ask(model, problems=str(file), like="smollm2-135m", max_questions=3)
    assert [(q.statement, q.gold) for q in questions] == [
        ("0 + 1?", "1"),
        ("1 + 1?", "2"),
        ("2 + 1?", "3"),
    ]
    assert questions[0].prompt == "0 + 1?\nThink step by step and put the answer in \\boxed{}."
    found = find_model(EvaluationConfig(model=str(model), like="smollm2-135m"))
    assert found.trained
    assert found.asked_as.meta_prompt.min_length == 8


@pytest.mark.parametrize(
    ("settings", "limit"),
    [
        ({}, 4096),
        ({"like": "smollm2-135m"}, 64),
        ({"like": "smollm2-135m", "prediction": {"max_tokens": 9}}, 9),
    ],
)
def test_predictions_may_be_as_long_as_in_training(model, settings, limit):
    config = EvaluationConfig(model=str(model), **settings)
    settled = settle_prediction_limit(config, find_model(config))
    assert settled.prediction.max_tokens == limit
    assert settled.prediction.rollouts == config.prediction.rollouts


def test_a_model_that_was_warmed_up_is_asked_as_its_warm_up_asked(model):
    config = TrainConfig.model_validate({"solution": {"template": "{problem} Solve."}})
    (model / "warmup.json").write_text(json.dumps({"settings": config.model_dump(mode="json")}))
    found = find_model(EvaluationConfig(model=str(model)))
    assert (found.trained, found.asked_as.solution.template) == (True, "{problem} Solve.")
    (model / "warmup.json").write_text("{}")
    with pytest.raises(EvalError, match="not what this version of `masa-openrlhf warmup` writes"):
        find_model(EvaluationConfig(model=str(model)))


def test_what_reasoning_gym_makes_is_judged_by_its_scorer(model):
    pytest.importorskip("reasoning_gym")
    reading = {"reasoning_gym": {"held_out": 3}}
    source = "reasoning_gym:fraction_simplification"
    questions = ask(model, problems=source, reading=reading)
    assert len(questions) == 3
    assert questions[0].scorer
    scorer = TaskScorer(workers=1, timeout=60, memory_mb=1024)
    with AnswerVerifier(workers=1) as verifier:
        grader = OwnGrader(MathsGrader(verifier), scorer)
        said = [f"It is $\\boxed{{{text}}}$." for text in (questions[0].gold, "1/97")]
        verdicts = [grader.grade(questions[0], text).correct for text in said]
    scorer.close()
    assert verdicts == [True, False]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"benchmarks": "own"}, "the benchmark own is what --problems names"),
        ({"problems": "./none.jsonl"}, "there is no file none.jsonl"),
        ({"problems": "x.jsonl", "like": "smollm"}, "--like 'smollm' is no file, and no preset"),
    ],
)
def test_what_cannot_be_asked_is_refused(model, settings, message):
    with pytest.raises(EvalError, match=message):
        ask(model, **settings)
