import contextlib
import dataclasses
import errno

import pytest
from masa_openrlhf.eval.config import EvaluationConfig
from masa_openrlhf.eval.errors import EvalError
from masa_openrlhf.eval.evaluation import Evaluation, derive_seed, list_open_tasks
from masa_openrlhf.eval.folder import EvalFolder, check_resumable
from masa_openrlhf.eval.render.terminal import format_warnings
from masa_openrlhf.eval.results.metrics import compute_metrics
from masa_openrlhf.eval.results.records import EvalRecord, LeftOutRecord, RecordFile
from masa_rewards import MetaPrompt

from tests.masa_openrlhf.eval.fakes import GoldGrader, ScriptedEngine, make_questions


def right(request):
    return [request.prompt.split()[-1]] * request.n


def play(folder, each, say=right, *, meta=None, stop_after=None, grader=None, **settings):
    config = EvaluationConfig(model="m", samples=2, **settings)
    folder.create(config)
    engine = ScriptedEngine(say, stop_after)
    grader = grader or GoldGrader()
    tasks = list_open_tasks(each, folder)
    done = []
    evaluation = Evaluation(
        config, folder, {one.benchmark.name: grader for one in each}, meta, threads=2
    )
    with contextlib.suppress(KeyboardInterrupt):
        evaluation.run(tasks, engine, lambda task, tokens: done.append((task, tokens)))
    return engine, done


def test_every_question_gets_its_line_in_whatever_order_they_come(tmp_path):
    folder = EvalFolder(tmp_path)
    engine, done = play(folder, [make_questions(5), make_questions(3, "other")])
    assert {r.id for r in folder.records("made").read()} == {f"q{i}" for i in range(5)}
    assert all(r.right == 2 for r in folder.records("other").read())
    assert len(done) == 8
    assert {request.n for request in engine.asked} == {2}


def test_no_more_are_under_way_than_wanted(tmp_path):
    engine, _ = play(EvalFolder(tmp_path), [make_questions(20)], engine={"questions_in_flight": 3})
    assert engine.most == 3
    engine, _ = play(
        EvalFolder(tmp_path / "two"),
        [make_questions(20)],
        engine={"questions_in_flight": 3},
        data_parallel=2,
    )
    assert engine.most == 6


def test_a_stopped_evaluation_asks_no_finished_question_again(tmp_path):
    folder = EvalFolder(tmp_path)
    play(folder, [make_questions(30)], stop_after=12, engine={"questions_in_flight": 4})
    finished = {r.id for r in folder.records("made").read()}
    assert 0 < len(finished) < 30
    with open(folder.records("made").path, "a") as file:
        file.write('{"id": "q29", "prom')  # as a kill leaves it
    second, _ = play(folder, [make_questions(30)])
    again = {request.id.split("/")[-1] for request in second.asked}
    assert again == {f"q{i}" for i in range(30)} - finished
    ids = [r.id for r in folder.records("made").read()]
    assert sorted(ids) == sorted(f"q{i}" for i in range(30))


def test_seeds_depend_on_the_question_alone(tmp_path):
    one, _ = play(EvalFolder(tmp_path / "a"), [make_questions(4)])
    other, _ = play(EvalFolder(tmp_path / "b"), [make_questions(2, "first"), make_questions(4)])
    seeds = {request.id: request.seed for request in other.asked}
    for request in one.asked:
        assert seeds[request.id] == request.seed == derive_seed(0, request.id)
    assert len(set(seeds.values())) == 6
    assert derive_seed(0, "a") != derive_seed(1, "a")


def test_the_meta_prompt_is_asked_first_with_settings_of_its_own(tmp_path):
    folder = EvalFolder(tmp_path)
    prompt = MetaPrompt(wording="Predict {problem}", max_length=1000)
    engine, done = play(
        folder,
        [make_questions(1)],
        lambda r: ["x"] * r.n if r.id.startswith("meta") else right(r),
        meta=prompt,
        prediction={"rollouts": 3, "temperature": 0.5, "max_tokens": 7},
    )
    meta, solution = engine.asked
    assert meta.prompt == "Predict statement 0"
    assert (meta.n, meta.temperature, meta.max_tokens) == (3, 0.5, 7)
    assert solution.prompt == "prompt 0"
    assert (solution.n, solution.temperature, solution.max_tokens) == (2, 0.6, 16384)
    (record,) = folder.records("made").read()
    assert [one.text for one in record.predictions] == ["x"] * 3
    assert done[0][1] == 3 + 2  # tokens of both


def test_the_same_text_is_judged_once(tmp_path):
    grader = GoldGrader()
    play(EvalFolder(tmp_path), [make_questions(6)], grader=grader)
    assert grader.asked == 6


def test_a_prompt_that_leaves_no_room_is_told_and_not_judged(tmp_path):
    folder = EvalFolder(tmp_path)
    play(folder, [make_questions(2)], lambda r: 99 if r.prompt.endswith("1") else right(r))
    lines = {r.id: r for r in folder.records("made").read()}
    assert "99 tokens" in lines["q1"].left_out
    assert isinstance(lines["q1"], LeftOutRecord)
    assert isinstance(lines["q0"], EvalRecord)


def test_an_error_of_a_judge_is_counted_and_ends_nothing(tmp_path):
    class Broken(GoldGrader):
        def grade(self, question, text):
            if question.id == "q1":
                raise RuntimeError("the judge is broken " + "x" * 1000)
            return super().grade(question, text)

    folder = EvalFolder(tmp_path)
    play(folder, [make_questions(3)], grader=Broken())
    lines = {r.id: r for r in folder.records("made").read()}
    assert {name: line.right for name, line in lines.items()} == {"q0": 2, "q1": 0, "q2": 2}
    for sample in lines["q1"].samples:
        assert (sample.status, sample.answer, sample.text) == ("error", None, "1")
        assert sample.detail.startswith("RuntimeError: the judge is broken xxx")
        assert len(sample.detail) < 250
    found = compute_metrics(make_questions(3).benchmark, lines.values(), [1])
    assert (found.questions, found.judge_failed) == (2, 2)
    assert "2 answers not in the figures: the judge failed on them" in format_warnings(found)
    again, _ = play(folder, [make_questions(4)])
    assert [request.id for request in again.asked] == ["solution/made/q3"]


def test_a_line_that_cannot_be_written_ends_the_evaluation(tmp_path, monkeypatch):
    def full(self, record):
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(RecordFile, "append", full)
    with pytest.raises(OSError, match="no space"):
        play(EvalFolder(tmp_path), [make_questions(1)])


def test_going_on_with_settings_that_change_the_answers_is_refused(tmp_path):
    before = EvaluationConfig(model="m")
    check_resumable(before, EvaluationConfig(model="m", data_parallel=4, pass_at=(1,)), tmp_path)
    for changed in ({"seed": 1}, {"temperature": 1.0}, {"samples": 4}, {"meta": True}):
        (name,) = changed
        with pytest.raises(EvalError, match=f"{name} \\(was .*, now .*\\).*begin anew"):
            check_resumable(before, EvaluationConfig(model="m", **changed), tmp_path)
    with pytest.raises(EvalError, match="model"):
        check_resumable(before, EvaluationConfig(model="n"), tmp_path)
    with pytest.raises(EvalError, match=r"verifier\.extraction"):
        check_resumable(
            before, EvaluationConfig(model="m", verifier={"extraction": "anchored"}), tmp_path
        )
    with pytest.raises(EvalError, match=r"engine\.max_model_len \(was None, now 512\)"):
        check_resumable(
            before, EvaluationConfig(model="m", engine={"max_model_len": 512}), tmp_path
        )
    with pytest.raises(EvalError, match=r"sandbox\.seconds \(was 60\.0, now 9\.0\)"):
        check_resumable(before, EvaluationConfig(model="m", sandbox={"seconds": 9}), tmp_path)
    check_resumable(
        before,
        EvaluationConfig(model="m", sandbox={"at_a_time": 8}, engine={"gpu_memory": 0.5}),
        tmp_path,
    )


def test_going_on_with_other_data_is_refused(tmp_path):
    folder = EvalFolder(tmp_path)
    play(folder, [make_questions(3)])
    each = make_questions(4)
    assert [task.question.id for task in list_open_tasks([each], folder)] == ["q3"]
    other = dataclasses.replace(each.questions[1], prompt="another")
    changed = dataclasses.replace(each, questions=(each.questions[0], other))
    with pytest.raises(EvalError, match=r"'q1' has another prompt or gold in made here than in"):
        list_open_tasks([changed], folder)


def test_two_processes_are_never_at_one_evaluation(tmp_path):
    folder = EvalFolder(tmp_path / "e")
    folder.make()
    with folder.held(), pytest.raises(EvalError, match="another process is at the evaluation"):
        folder.held().__enter__()
    with folder.held():
        pass
