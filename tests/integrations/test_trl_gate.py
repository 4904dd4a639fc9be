"""TRL's trainer with the gate, by the example of docs/guides/stacks/trl_gate.md."""

import json
import re
import shutil
from pathlib import Path
from statistics import fmean

import pytest

from tests.integrations.reward_reference import (
    adapt_example,
    check_batch_rewards,
    read_page_examples,
    write_problems,
)
from tests.integrations.score_files import score_files
from tests.integrations.stack_environments import make_environment, needs_uv
from tests.integrations.trl_tiny import END, VOCABULARY

HERE = Path(__file__).parent
HIGH, AUDIT = 0.75, 0.4

TINY = {
    '"Qwen/Qwen3-1.7B"': '"tiny"',
    "MetaPrompt(max_length=2048)": "MetaPrompt(min_length=1, max_length=8)",
    # Not in TRL's default bfloat16, so that gradients can be compared.
    "max_completion_length=2048": "max_completion_length=6, bf16=False, use_cpu=True, "
    'report_to="none"',
    "num_train_epochs=1": "max_steps=4, save_steps=2, log_completions=True",
    "import AuditedGateSettings,": "import ThresholdGateSettings,",
    # The tiny model predicts 0.5 and 1.0 at random: some means lie above, some below.
    "AuditedGateSettings(audit=0.05)": f"ThresholdGateSettings(low=0, high={HIGH}, audit={AUDIT})",
    "start=80": "start=1",
}
SPREAD = {
    # A problem in a batch: the first process has its solutions, the second its predictions.
    "one problem": {
        "gradient_accumulation_steps=8": "gradient_accumulation_steps=1",
        f"high={HIGH}": "high=0.6",
    },
    # Three: some of the second are apart from their predictions.
    "three problems": {
        "gradient_accumulation_steps=8": "gradient_accumulation_steps=3",
        "    args=GRPOConfig(": "    eval_dataset=Dataset.from_list([row for row in "
        'paired_rows(problems, prompt) if row["kind"] == "solution"]),\n'
        '    args=GRPOConfig(eval_strategy="steps", eval_steps=2, per_device_eval_batch_size=32, ',
    },
}

pytestmark = [needs_uv, pytest.mark.timeout(1500)]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    path = tmp_path_factory.mktemp("trl") / "tiny"
    make_environment("trl").run("python", HERE / "trl_tiny.py", path)
    return path


def prepare_folder(tiny, folder):
    """Where a script runs: with a tiny model and the problems."""
    folder.mkdir(exist_ok=True)
    shutil.copytree(tiny, folder / "tiny")
    write_problems(folder)
    return folder


def run_training(folder, changes, launch=("python",), **expected):
    (example,) = read_page_examples("trl_gate.md", "python")
    adapted = adapt_example(adapt_example(example, TINY), changes)
    (folder / "train.py").write_text(adapted)
    return make_environment("trl").run(
        *launch, HERE / "trl_gate_record.py", folder, "train.py", cwd=folder, **expected
    )


@pytest.fixture(scope="module")
def trained(tiny, tmp_path_factory):
    """The example of the page, trained for 4 steps: the first without the gate."""
    folder = prepare_folder(tiny, tmp_path_factory.mktemp("gate"))
    output = run_training(folder, {})
    # TRL would warn of skipped rows in every step, with all that is in one.
    assert "reward functions returned None" not in output
    return folder


def read_batches(folder):
    """The generation batches: for each, what each process wrote down."""
    files = sorted(folder.glob("batches-*.jsonl"))
    lines = [[json.loads(line) for line in file.read_text().splitlines()] for file in files]
    return list(zip(*lines, strict=True))


def read_trained(folder):
    return json.loads((folder / "trained-0.json").read_text())


def list_rows(parts):
    """The rows of a batch of all processes, with what they were given and what came of them."""
    rewards = parts[0]["rewards"]
    rows = []
    for part in parts:
        columns = ("kinds", "ids", "answers", "texts", "given", "lengths", "first")
        columns += ("trained_tokens", "advantages")
        for values in zip(*(part[name] for name in columns), strict=True):
            row = dict(zip(columns, values, strict=True))
            rows.append(row | {"reward": rewards[len(rows)][0]})
    assert len(rows) == len(rewards)
    return rows


def find_skipped(parts):
    return {name for name, (flagged, audited, _) in parts[0]["plans"].items() if flagged > audited}


def compute_mean_rates(rows):
    """The mean predicted pass rate of each problem, as its texts have it; of eighths."""
    rates = {}
    for row in rows:
        stated = re.findall(r'"pass_rate":(\d)', row["texts"]) if row["kinds"] == "meta" else ()
        for rate in stated[-1:]:
            rates.setdefault(row["ids"], []).append(int(rate) / 8)
    return {name: fmean(found) for name, found in rates.items() if len(found) >= 4}


def check_batch(parts, high=HIGH):
    """What holds of every batch, by the texts and numbers of its rows."""
    rows, plans, skipped = list_rows(parts), parts[0]["plans"], find_skipped(parts)
    means = compute_mean_rates(rows)
    for name, (flagged, audited, mean) in plans.items():
        assert mean == (pytest.approx(means[name]) if name in means else None)
        assert flagged == (means.get(name, 0.0) > high)
        assert flagged or not audited
    for row in rows:
        assert row["given"] == (row["ids"] in skipped)
        if row["given"]:
            assert (row["reward"], row["advantages"], row["trained_tokens"]) == (None, 0.0, 0)
        else:
            assert row["trained_tokens"] == row["lengths"]
        if row["given"] and row["kinds"] == "solution":
            assert (row["texts"], row["lengths"]) == ("", 1)
            assert row["first"] == VOCABULARY.index(END)
    check_batch_rewards(
        [
            {
                "kind": row["kinds"],
                "id": row["ids"],
                "answer": row["answers"],
                "text": row["texts"],
                "length": row["lengths"],
                "reward": row["reward"],
            }
            for row in rows
            if not row["given"]
        ]
    )
    left = [row for row in rows if not row["given"]]
    tokens = sum(row["trained_tokens"] for row in rows)
    expected = tokens * len(rows) / len(left) if left else 0
    assert [part["num_items"] for part in parts] == pytest.approx([expected] * len(parts))
    return rows


def count_generated(rows, kind):
    """Tokens that were generated, and are of a kind."""
    made = [row for row in rows if row["kinds"] == kind and (kind == "meta" or not row["given"])]
    return sum(row["lengths"] for row in made)


def test_skipped_problems_are_not_rolled_out(trained):
    batches = read_batches(trained)
    log = [line for line in read_trained(trained)["log"] if "reward" in line]
    assert len(batches) == len(log) == read_trained(trained)["steps"] == 4
    seen = {"skipped": 0, "audited": 0, "not flagged": 0}
    for parts, line in zip(batches, log, strict=True):
        rows, (part,) = check_batch(parts), parts
        tokens = [count_generated(rows, kind) for kind in ("meta", "solution")]
        assert [line["tokens/meta"], line["tokens/solution"]] == tokens
        # A call for the predictions and one for the solutions; before the start, one for all.
        phases = tokens if part["plans"] else [sum(tokens)]
        assert part["asked"] == [each for each in phases if each]
        assert bool(part["plans"]) == (part["step"] > 1)
        skipped = find_skipped(parts)
        if part["plans"]:
            assert line["gate/skipped"] == len(skipped) / 4
            assert line["gate/audited"] == fmean(a for _, a, _ in part["plans"].values())
        seen["skipped"] += len(skipped)
        for flagged, audited, _ in part["plans"].values():
            seen["audited"] += audited
            seen["not flagged"] += not flagged
    assert all(seen.values()), seen
    assert log[-1]["ledger/skipped_trivial"] == seen["skipped"]
    assert log[-1]["ledger/gate_audits"] == seen["audited"]
    assert log[-1]["ledger/solution_rollouts"] == 8 * (16 - seen["skipped"])
    assert 0 <= log[-1]["ledger/gate_precision"] <= 1


def test_the_gradient_is_that_of_what_is_left(trained):
    gradients = read_trained(trained)["gradients"]
    share = gradients.pop("left")
    assert 0 < share < 1
    assert len(gradients) == 7
    for whole, alone in gradients.values():
        assert any(alone)
        assert whole == pytest.approx([share * each for each in alone], rel=1e-4, abs=1e-7)


def test_its_log_of_completions_is_scored_without_them(trained):
    report = score_files(trained / "masa" / "completions")
    rows = [row for parts in read_batches(trained) for row in list_rows(parts)]
    solutions = [row for row in rows if row["kinds"] == "solution" and not row["given"]]
    assert report.rollouts == len(solutions)
    assert report.correct == sum(row["reward"] == 1.0 for row in solutions)


def has_gate(line):
    return any("gate/" in name for name in line)


@pytest.mark.parametrize("spread", SPREAD)
def test_processes_plan_alike(tiny, tmp_path, spread):
    folder = prepare_folder(tiny, tmp_path)
    run_training(folder, SPREAD[spread], ("torchrun", "--standalone", "--nproc-per-node", "2"))
    batches = read_batches(folder)
    assert len(batches) == read_trained(folder)["steps"] == 4
    # Nothing is skipped in evaluation, of solutions alone.
    evaluated = [line for line in read_trained(folder)["log"] if "eval_reward" in line]
    assert len(evaluated) == (2 if "eval_dataset" in str(SPREAD[spread]) else 0)
    assert all(0 < line["eval_reward"] < 1 and not has_gate(line) for line in evaluated)
    skipped = 0
    for parts in batches:
        assert parts[0]["plans"] == parts[1]["plans"]
        assert parts[0]["rewards"] == parts[1]["rewards"]
        check_batch(parts, 0.6 if spread == "one problem" else HIGH)
        skipped += len(find_skipped(parts))
        kinds = [set(part["kinds"]) for part in parts]
        assert (kinds == [{"solution"}, {"meta"}]) == (spread == "one problem")
    assert skipped


def test_a_resumed_run_goes_on_as_if_not_interrupted(trained, tiny, tmp_path):
    folder = prepare_folder(tiny, tmp_path)
    shutil.copytree(trained / "masa" / "checkpoint-2", folder / "masa" / "checkpoint-2")
    run_training(folder, {"trainer.train()": "trainer.train(resume_from_checkpoint=True)"})
    assert read_batches(folder) == read_batches(trained)[2:]
    first, again = (
        [
            {name: value for name, value in line.items() if name.startswith(("ledger/", "gate/"))}
            for line in read_trained(each)["log"]
            if "reward" in line
        ]
        for each in (trained, folder)
    )
    assert again == first
    assert first[-1]["ledger/problems"] == 16


REFUSED = """
del trainer
import shutil
from masa_control import AuditedGateSettings, StaticGateSettings


def refuse(resume=None, **changes):
    try:
        made = GatedGRPOTrainer(**given | changes)
        made.train(resume_from_checkpoint=resume)
    except (ValueError, RuntimeError) as error:
        print("REFUSED", type(error).__name__, error)


refuse("masa/checkpoint-2", gate=StaticGateSettings())
shutil.copytree("masa/checkpoint-2", "bare/checkpoint-2")
(Path("bare/checkpoint-2") / "masa_control.json").unlink()
refuse("bare/checkpoint-2")
refuse(tools=[refuse], model="not loaded")
"""


def test_what_does_not_fit_is_refused(trained, tiny, tmp_path):
    folder = prepare_folder(tiny, tmp_path)
    shutil.copytree(trained / "masa" / "checkpoint-2", folder / "masa" / "checkpoint-2")
    (example,) = read_page_examples("trl_gate.md", "python")
    changes = {
        "import json\n": "import json\nfrom pathlib import Path\n",
        "trainer = GatedGRPOTrainer(": "trainer = None\ngiven = dict(",
        "trainer.train()": REFUSED,
    }
    (folder / "train.py").write_text(adapt_example(example, TINY | changes))
    output = make_environment("trl").run("python", "train.py", cwd=folder)
    said = [line for line in output.splitlines() if line.startswith("REFUSED")]
    assert len(said) == 3
    assert re.search("ValueError.*gate.rule = 'threshold', and this run has 'static'", said[0])
    assert re.search("ValueError bare/checkpoint-2 holds no masa_control.json", said[1])
    assert re.search("ValueError tools is set", said[2])


def test_a_vllm_server_is_asked_by_the_main_process(tmp_path):
    launch = ("torchrun", "--standalone", "--nproc-per-node", "2")
    output = make_environment("trl").run(*launch, HERE / "trl_gate_server.py", cwd=tmp_path)
    assert output.count("served") == 2


CONTRACT = """
import inspect
from trl import GRPOTrainer, __version__
from masa_control.integrations.trl_contract import TRIED, check_methods

assert __version__ == TRIED
check_methods(GRPOTrainer, __version__)
turn = inspect.getsource(GRPOTrainer._generate_single_turn)
assert "if self.state.global_step != self._last_loaded_step:" in turn
assert "self.vllm_generation.sync_weights()" in turn
assert turn.rstrip().endswith("return completion_ids, logprobs")
made = inspect.getsource(GRPOTrainer._generate).rstrip().splitlines()[-1].split()
assert [each.strip(",") for each in made] == [
    "return", "prompt_ids", "completion_ids", "tool_mask", "completions", "logprobs",
    "extra_fields", "images", "tool_images",
]


class Changed(GRPOTrainer):
    def _generate(self, prompts, images):
        pass


try:
    check_methods(Changed, "9.9")
except RuntimeError as error:
    print(error)
"""


def test_trl_has_the_methods_that_are_overridden():
    said = make_environment("trl").run("python", "-c", CONTRACT).splitlines()[-1]
    assert "Changed._generate of TRL 9.9 takes ('self', 'prompts', 'images')" in said
    assert "install trl==1.16.0" in said
