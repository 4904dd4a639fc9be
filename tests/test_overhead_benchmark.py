"""The benchmark of our own code's overhead: its pieces by hand, and a step of it, very small."""

import json
import subprocess
import sys

import pytest
from masa_benchmarks.overhead.command import fit_exponent, main
from masa_benchmarks.overhead.generation import (
    MODELS,
    DecodingModel,
    generation_seconds,
    tokens_per_second,
)
from masa_benchmarks.overhead.taken import StepSeconds
from masa_benchmarks.overhead.text import StepSize


def test_the_papers_tokens():
    # 128 x (16 x 6251 + 8 x 2293); 15.5 % of them of predictions
    assert StepSize().tokens == 15_150_080
    assert 128 * 8 * 2293 / StepSize().tokens == pytest.approx(0.155, abs=5e-4)


def test_the_ceiling_of_generation_by_hand():
    # Half of the memory is weights: each byte of cache is read with one of weights. A response of
    # 1,000 tokens has 500 before it on average: 2 x 500 x 3,350 bytes a token, at 3.35 TB/s.
    model = DecodingModel(weights=40e9, cache=3350)
    assert tokens_per_second(model, 1000, gpus=1) == pytest.approx(1e6)
    size = StepSize(10, 16, 8, 1000, 2000)
    # 160,000 tokens at 8 M/s, and as many at half of that
    assert generation_seconds(model, size) == pytest.approx(0.02 + 0.04)


def test_a_longer_response_takes_more_than_its_tokens():
    small, large = MODELS.values()
    assert tokens_per_second(small, 2000) == pytest.approx(4 * tokens_per_second(small, 8000))
    assert tokens_per_second(small, 6251) > tokens_per_second(large, 6251)


def test_exponents_by_hand():
    assert fit_exponent([1, 2, 4], [3, 6, 12]) == pytest.approx(1)
    assert fit_exponent([10, 100], [1, 100]) == pytest.approx(2)


def test_a_step_adds_up_what_runs_in_one_process_and_what_is_spread():
    taken = StepSeconds({"rewards": 8.0}, 4.0, {"control": 1.0}, packing=9.0, wall=9.0, wait=9.0)
    assert taken.on(engines=8, workers=2) == pytest.approx(1 + 0.25 + 1)


def test_a_run_is_read(tmp_path, capsys):
    rows = [
        {"step": i, "time/step": 10.0, "time/generation": 6.0, "overhead/step": 0.1 * i}
        | {"overhead/share": 0.01 * i, "overhead/rewards": 0.05 * i}
        for i in (1, 2, 3)
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (tmp_path / "metrics.jsonl").write_text(text)
    main(["tiny", str(tmp_path)])
    said = capsys.readouterr().out
    assert "2 steps" in said  # the first is left out
    assert "Our own code: 2.50 % of the steps" in said
    with pytest.raises(SystemExit, match="no step with overhead/share"):
        main(["tiny", str(tmp_path / "none")])


SMALL_STEP = """
from masa_benchmarks.overhead import command
from masa_benchmarks.overhead.text import MathRow, ScriptedWriter

rows = [
    MathRow(f"What is {i} plus x?", f"We add {i} to $x$ by the law of sums: $\\\\boxed{{x+{i}}}$.",
        f"x+{i}")
    for i in range(40)
]
command.read_rows = lambda path: rows
command.ScriptedWriter = lambda rows: ScriptedWriter(rows, positions=2000)
sizes = ["--problems", "3", "--solutions", "4", "--predictions", "2", "--rounds", "1",
         "--solution-tokens", "90", "--prediction-tokens", "60"]
command.main(["paper", *sizes])
command.main(["before", *sizes])
"""


def test_a_small_step_by_the_real_code():
    """In a process of its own, as it makes a CPU run of the process it is in."""
    pytest.importorskip("vllm")
    done = subprocess.run(
        [sys.executable, "-c", SMALL_STEP],
        capture_output=True,
        text=True,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for part in ("rewards (actors)", "verification (workers)", "samples (trainer)", "together"):
        assert part in done.stdout
    assert "Qwen3-8B: generation at" in done.stdout
    assert "as it was" in done.stdout


def test_readers_are_timed_and_learn():
    import numpy as np
    from masa_benchmarks.overhead.readers import compute_forward_seconds, time_reader
    from masa_control import ProbeReaderSettings, ProblemView
    from masa_control.readers.regression_reader import ProbeReader

    reader = ProbeReader(ProbeReaderSettings(window=64))
    hidden = np.random.default_rng(0).normal(size=(97, 32)).astype(np.float32)
    taken = time_reader(
        reader, lambda i: ProblemView(str(i), hidden_D=hidden[i % 97]), 8, 32, window=64
    )
    assert taken.total == pytest.approx(taken.fit + taken.read + taken.learn + taken.state)
    assert reader.metrics() == {"reader/groups": 64.0}
    # 64 groups of 32 features: 4 bytes each, in base64 four characters for three bytes.
    assert taken.megabytes == pytest.approx(64 * 32 * 4 * 4 / 3 / 1e6, rel=0.1)
    # 2 flops a parameter and token, at 0.4 of 989e12 on each of eight cards.
    assert compute_forward_seconds(8e9, 1e6) == pytest.approx(16e15 / (8 * 0.4 * 989e12))
