import io
import re
import time
from dataclasses import asdict

import pytest
from masa_control import ConfusionCounts
from masa_openrlhf.command import invocation
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.display.columns import COLUMNS, EFFICIENT_COLUMNS, PRIORITY
from masa_openrlhf.display.run_display import RunDisplay, format_duration
from masa_openrlhf.display.summary import compare_fifths, summarise_decisions, summarise_held_out
from masa_openrlhf.run.folder import RunFolder, StopRequest
from rich.console import Console


def shown(tmp_path, play, *, terminal=False, config=None, width=140):
    config = config or TrainConfig()
    folder = RunFolder(tmp_path / "run")
    folder.create(config)
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=terminal)
    with RunDisplay(folder, config, console) as display:
        play(folder, display)
    return out.getvalue()


def row(step):
    return {
        "solution/pass_rate": 0.5,
        "meta/predicted_pass_rate": 0.25,
        "meta/reward": step / 10,
        "tokens/meta": 100.0,
        "tokens/solution": 1200.0,
        "ledger/meta_tokens": 100.0 * step,
        "ledger/solution_tokens": 300.0 * step,
        "time/step": 2.0,
    }


def play(folder, display):
    folder.event("preparing", what="the problems")
    folder.event("problems", split="train", count=90, left_out={"no answer": 10})
    folder.event("training", steps=10)
    for step in range(1, 11):
        folder.write_metrics(step, row(step))
        display.update()
    folder.write_eval(10, {"pass_at_1": 0.625})
    display.update()


def test_without_a_terminal_a_line_a_step(tmp_path):
    text = shown(tmp_path, play)
    assert "90 problems to train on; left out: 10 no answer" in text
    assert "step 1/10  pass@1 0.50  predicted 0.25  correl. –" in text
    assert "step 10/10" in text
    assert "held out after step 10: pass@1 0.625" in text


def test_targets_that_only_the_same_text_matches_are_told(tmp_path):
    def prepare(folder, display):
        folder.event(
            "problems",
            split="train",
            count=90,
            left_out={},
            doubtful={"unreadable": 2, "sentence": 1},
            first_doubtful=r"\frac{1}{",
        )
        display.update(stopping=False)

    text = " ".join(shown(tmp_path, prepare).split())
    assert "of these, 3 have a gold answer that only the same text matches" in text
    assert r"(2 unreadable, 1 sentence): the first is '\\frac{1}{'" in text


def test_on_a_terminal_a_bar_and_a_table(tmp_path):
    text = shown(tmp_path, play, terminal=True)
    assert "10/10" in text
    for heading in ("pass@1", "predicted", "meta reward", "difficulty", "solution tok."):
        assert heading in text


def test_the_summary(tmp_path):
    def all_of_it(folder, display):
        folder.write_eval(0, {"pass_at_1": 0.25})
        play(folder, display)
        display.summary()

    text = " ".join(shown(tmp_path, all_of_it).split())
    assert "Meta reward 0.150 0.950" in text  # mean of steps 1, 2 and of 9, 10
    assert "10 steps in 20 s; tokens made: 3,000 of solutions, 1,000 of predictions (25%)" in text
    assert "pass@1 0.250 before step 1, 0.625 after step 10" in text


def tally_after(step):
    """Two problems of each step are flagged and one is missed; each third step audits one."""
    sums = ConfusionCounts.of(1, 0, right=1, weight=6.0)
    total = ConfusionCounts()
    for number in range(1, step + 1):
        total += (
            ConfusionCounts.of(1, 0)
            + (sums if number % 3 == 0 else ConfusionCounts.of(1, 0))
            + ConfusionCounts.of(0, 1)
        )
    assert total.audits == step // 3
    return total


def efficient_row(step):
    total = tally_after(step)
    return {
        **row(step),
        "gate/skipped": 0.4,
        "cutoff/cut": 0.1,
        **total.figures("ledger/gate"),
        "ledger/gate_tokens_saved": 50.0 * step,
        "ledger/gate_tokens_saved_low": 30.0 * step,
        "ledger/gate_tokens_saved_high": 70.0 * step,
        "ledger/cutoff_tokens_saved": 10.0 * step,
    }


def test_what_was_decided_is_shown(tmp_path):
    config = TrainConfig(mode="masa-efficient")

    def play_efficient(folder, display):
        folder.event("training", steps=6)
        for step in range(1, 7):
            folder.write_metrics(step, efficient_row(step))
            folder.write_confusion(step, {"gate": tally_after(step)})
            display.update()
        display.summary()

    text = " ".join(shown(tmp_path, play_efficient, config=config).split())
    # 12 flagged, all that were audited rightly, 6 missed: recall 12/18, F1 24/30.
    assert "skipped 40% gate F1 0.80 [" in text
    assert "cut 10% cutoff F1 – saved tok. 360" in text
    # The last half: 6 flagged, 3 missed.
    assert "problems skipped 40.0%; precision 1.00 [" in text
    assert "recall 0.67 [" in text
    assert "F1 0.80 [" in text
    assert "300 [180, 420] by the gate, 60 by the cutoff; 13% of what would have been made" in text


def test_what_waves_did_is_shown_beside_the_gate():
    rows = [
        {
            **efficient_row(step),
            "step": step,
            "waves/stopped": 0.25,
            "ledger/waves_tokens_saved": 5.0 * step,
        }
        for step in range(1, 7)
    ]
    stopped = [
        {"step": step, "waves": asdict(ConfusionCounts.of(1, 0, right=1, weight=2.0))}
        for step in range(1, 7)
    ]
    lines = summarise_decisions(rows, stopped)
    # The counts are of the whole run, and in the last half nothing came to them.
    assert any(line.startswith("  groups stopped 25.0%; precision unknown") for line in lines)
    assert "60 by the cutoff, 30 by waves; 14% of what would have been made" in lines[-1]


def test_held_out_problems_say_how_well_the_model_knows_itself():
    evals = [
        {"step": 0, "pass_at_1": 0.25, "meta/pass_rate_correlation": -0.1},
        {
            "step": 9,
            "pass_at_1": 0.5,
            "meta/pass_rate_correlation": 0.9,
            "meta/length_correlation": 0.8,
        },
    ]
    assert summarise_held_out(evals) == [
        "Held-out problems: pass@1 0.250 before step 1, 0.500 after step 9",
        "  correlation of predicted and true pass rate: -0.100, then +0.900",
        "  correlation of predicted and true length: +0.800",
    ]
    assert summarise_held_out(evals[:1]) == []


def test_without_decisions_nothing_is_said_of_them():
    assert summarise_decisions([row(1), row(2)], []) == []
    assert summarise_decisions([], []) == []


def test_a_stop_says_how_to_go_on(tmp_path):
    def stop(folder, display):
        folder.event("training", steps=6)
        folder.event("checkpoint", step=4, seconds=0.1)
        display.update(StopRequest.AFTER_STEP)
        display.stopped()

    text = shown(tmp_path, stop)
    assert "stopping after this step" in text
    assert "the last checkpoint is of step 4" in text
    assert "masa-openrlhf train --resume" in text


@pytest.mark.parametrize(
    ("part", "saved", "said"),
    [
        (("rollouts", 5), [2], "ending now, with a checkpoint of step 4, the last finished one"),
        (("scoring", 5), [2], "ending now, with a checkpoint of step 4, the last finished one"),
        (("rollouts", 5), [2, 4], "ending now; step 4, the last finished one, has a checkpoint"),
        (("evaluation", 4), [4], "ending now; step 4, the last finished one, has a checkpoint"),
        (("update", 5), [2], "ending now, with a checkpoint of step 4, the last finished one"),
        (("optimiser step", 5), [4], "the weights of step 5 are being made; it is finished and"),
        (("rollouts", 1), [], "ending now, without a checkpoint: no step is finished yet"),
        (("evaluation", 0), [], "ending now, without a checkpoint: no step is finished yet"),
        (None, [], "training is over: the model is being saved"),
    ],
)
def test_told_to_end_it_says_what_becomes_of_the_step(tmp_path, part, saved, said):
    def end(folder, display):
        folder.event("training", steps=6)
        for step in saved:
            folder.event("checkpoint", step=step, seconds=1.0)
        if part:
            folder.event("phase", what=part[0], step=part[1])
        else:
            folder.event("trained", reason="finished", step=6)
        display.update(StopRequest.NOW)
        folder.event("checkpoint", step=5, seconds=2.25)
        display.update(StopRequest.NOW)

    text = shown(tmp_path, end)
    assert said in text
    assert "checkpoint of step 5 written in 2.2 s" in text


def test_a_stop_after_the_step_may_become_one_now(tmp_path):
    def hurry(folder, display):
        folder.event("training", steps=6)
        folder.event("phase", what="rollouts", step=3)
        for request in (StopRequest.AFTER_STEP, StopRequest.AFTER_STEP, StopRequest.NOW):
            display.update(request)

    text = shown(tmp_path, hurry)
    assert text.count("stopping after this step") == 1
    assert text.count("ending now, with a checkpoint of step 2") == 1


def test_last_words_are_shown_as_they_are(tmp_path):
    text = shown(tmp_path, lambda folder, display: display.failed(-9, ["[red]boom[/red]"]))
    assert "was killed by signal 9" in text
    assert "[red]boom[/red]" in text


def test_fifths_of_a_short_run():
    changes = {c.title: c for c in compare_fifths([{"solution/pass_rate": 0.5}])}
    assert changes["Solutions right (pass@1)"].first == 0.5
    assert compare_fifths([]) == []


def test_durations():
    assert format_duration(45) == "45 s"
    assert format_duration(600) == "10 min"
    assert format_duration(7500) == "2 h 05 min"


def test_the_first_step_says_where_its_time_went_and_what_is_wrong(tmp_path):
    def play_badly(folder, display):
        for step in (1, 2):
            times = {"time/step": 9.0, "time/generation": 5.0, "time/train": 3.0}
            folder.write_metrics(step, {**row(step), **times, "solution/unparsable": 0.99})
            display.update(stopping=False)

    text = " ".join(shown(tmp_path, play_badly).split())
    assert text.count("99% of solutions state no answer in the form") == 1
    assert "step 1 took 9.0 s: generation 5.0 s, training 3.0 s, other 1.0 s" in text
    assert "step 2 took" not in text


def play_steps(rows):
    def play(folder, display):
        folder.event("training", steps=len(rows))
        for step, row in enumerate(rows, start=1):
            folder.write_metrics(step, row)
        display.update()

    return play


def last_picture(text):
    """The table as it was last drawn: lines from its heading on."""
    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text).replace("\r", "\n").splitlines()
    start = max(
        number for number, line in enumerate(lines) if line.split()[:2] == ["step", "pass@1"]
    )
    return [line.rstrip() for line in lines[start:] if line.strip()]


@pytest.mark.parametrize(
    ("width", "there", "not_there"),
    [
        (80, ["pass@1", "predicted", "skipped", "correl.", "meta reward", "saved tok."], ["["]),
        (100, ["pass@1", "skipped", "s/step", "cut", "gate F1"], ["["]),
        (140, ["pass@1", "skipped", "cutoff F1", "solution tok.", "meta tok.", "0.80 ["], []),
    ],
)
def test_a_narrow_table_leaves_out_what_matters_least(tmp_path, width, there, not_there):
    config = TrainConfig(mode="masa-efficient")
    rows = [efficient_row(step) for step in range(1, 7)]
    text = shown(tmp_path, play_steps(rows), terminal=True, config=config, width=width)
    table = last_picture(text)[: 1 + len(rows)]
    assert max(map(len, table)) <= width
    assert "…" not in "".join(table)
    assert [heading for heading in there if heading not in "\n".join(table)] == []
    assert [text for text in not_there if text in "\n".join(table)] == []
    # Each row has as many cells as there are headings.
    assert {len(re.split(r"\s{2,}", line.strip())) for line in table} == {
        len(re.split(r"\s{2,}", table[0].strip()))
    }


def test_every_column_has_its_place_in_the_order():
    for columns in (COLUMNS, EFFICIENT_COLUMNS):
        assert {heading for heading, _, _ in columns} <= set(PRIORITY)


def test_a_long_start_says_how_long_it_has_taken_and_what_happens(tmp_path, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def wait(folder, display):
        folder.event("starting", what="vLLM and DeepSpeed")
        display.update()
        for _ in range(5):
            now[0] += 26
            display.update()

    plain = shown(tmp_path / "plain", wait)
    assert "starting vLLM and DeepSpeed: 78 s so far" in plain
    assert plain.count("so far") == 1  # the next is due after another minute
    now[0] = 100.0
    drawn = shown(tmp_path / "drawn", wait, terminal=True, width=80)
    assert "2 min" in drawn
    assert "the model is loaded into both: minutes, where it is large" in drawn
    assert "starting vLLM and DeepSpeed" in drawn
    assert "…" not in drawn


def test_a_command_to_go_on_with_is_one_that_works(tmp_path, monkeypatch):
    def stop(folder, display):
        folder.event("checkpoint", step=3, seconds=1.0)
        display.stopped()

    monkeypatch.setattr(invocation, "format_program", lambda: ".venv/bin/masa-openrlhf")
    text = shown(tmp_path, stop)
    assert f".venv/bin/masa-openrlhf train --resume {tmp_path / 'run'}" in text
