"""What does not fit is a sentence that names a setting; fitting searches for what does."""

import re

import pytest
from masa_openrlhf.plan.cards import GIB, find_card_by_memory
from masa_openrlhf.plan.command import make_setup, require_fit, suggest_way_out
from masa_openrlhf.plan.fit import find_gpus, fit_plan, list_changes
from masa_openrlhf.plan.speed import estimate_step
from masa_openrlhf.plan.verdict import DoesNotFitError, make_plan, measure_room

from tests.masa_openrlhf.plan.plans import plan, set_up


@pytest.mark.parametrize(
    ("preset", "flags", "card", "said"),
    [
        ("qwen3-8b", ["--cluster.gpu-memory", "0.97"], "h100", r"generate: .* lower cluster.gpu_m"),
        ("qwen3-14b", [], "a100-40gb", r"train: .* lower batch.max_tokens_per_gpu, or use more"),
        ("qwen3-14b", [], "rtx-4090", r"digest: .* a larger cluster.tensor_parallel"),
        (
            "qwen3-8b",
            ["--cluster.gpu-memory", "0.25"],
            "h100",
            r"cache holds [\d,]+ tokens, and one sequence may have 10,240.*raise cluster.gpu_mem",
        ),
        (
            "qwen3-14b",
            ["--cluster.tensor-parallel", "3", "--cluster.gpus-per-node", "6"],
            "h200",
            r"40 attention heads do not divide between cluster.tensor_parallel = 3",
        ),
        (
            "qwen3-8b",
            ["--solution.max-tokens", "40000", "--batch.max-tokens-per-gpu", "50000"],
            "h200",
            r"42,048 tokens .* made for 40,960 .* lower solution.max_tokens",
        ),
    ],
)
def test_what_does_not_fit_names_the_setting_to_change(preset, flags, card, said):
    found = plan(preset, *flags, card=card)
    assert not found.fits
    assert re.search(said, "\n".join(found.faults)), found.faults


def test_every_sum_is_compared_with_the_card():
    found = plan("qwen3-8b")
    assert found.fits
    for phase in found.phases:
        room = measure_room(found.setup, phase)
        assert 0 < room < found.setup.card.memory - phase.total + 1


@pytest.mark.parametrize("preset", ["qwen3-0.6b", "qwen3-4b", "qwen3-8b", "qwen3-14b"])
def test_fitting_is_never_slower_and_leaves_a_margin(preset):
    setup = set_up(preset)
    found = fit_plan(setup)
    assert found is not None
    assert found.fits
    assert found.time.total <= 1.01 * estimate_step(setup).total
    assert all(measure_room(found.setup, phase) >= 2 * GIB for phase in found.phases)
    # What is proposed is a configuration that says the same when it is planned.
    again = make_plan(make_setup(found.setup.config, setup.card))
    assert again.time == found.time


def test_changes_are_named_as_settings():
    setup = set_up("qwen3-8b", "--batch.max-tokens-per-gpu", "32768", card="a100-40gb")
    found = fit_plan(setup)
    assert found is not None
    changes = list_changes(setup.config, found.setup.config)
    assert set(changes) <= {
        "batch.max_tokens_per_gpu",
        "cluster.gpu_memory",
        "cluster.tensor_parallel",
        "cluster.engines",
        "openrlhf.ds.grad_accum_dtype",
    }
    assert changes["batch.max_tokens_per_gpu"] < 32_768


def test_the_fewest_gpus_are_found_and_fewer_do_not_fit():
    setup = set_up("qwen3-8b")
    fewest = find_gpus(setup)
    assert fewest == 4
    two = set_up("qwen3-8b", "--cluster.gpus-per-node", "2")
    assert fit_plan(two) is None
    assert fit_plan(set_up("qwen3-8b", "--cluster.gpus-per-node", "4")) is not None
    assert "masa-openrlhf plan --gpus 4 --fit" in suggest_way_out(two)


def test_where_no_number_of_cards_holds_it_that_is_said():
    setup = make_setup(set_up("qwen3-14b").config, find_card_by_memory(8))
    assert fit_plan(setup) is None
    assert "cards with more memory" in suggest_way_out(setup)


def test_a_run_that_cannot_fit_is_refused_with_the_way_out():
    setup = set_up("qwen3-4b", card="a100-40gb")
    with pytest.raises(DoesNotFitError, match="--force starts the run all the same") as refusal:
        require_fit(setup.config, setup.card)
    assert "train: " in str(refusal.value)
    assert "it fits on 4 of these GPUs" in str(refusal.value)
    loose = set_up("qwen3-4b", "--cluster.gpu-memory", "0.97")
    with pytest.raises(DoesNotFitError, match=r"this fits: --.*--cluster.gpu-memory 0\.\d"):
        require_fit(loose.config, loose.card)


def test_what_cannot_be_planned_is_not_refused(tmp_path):
    setup = set_up("qwen3-4b")
    assert require_fit(setup.config, None) is None
    (tmp_path / "config.json").write_text('{"model_type": "mamba"}')
    other = set_up("qwen3-8b").config.model_copy(deep=True)
    other = other.model_copy(
        update={"model": other.model.model_copy(update={"path": str(tmp_path)})}
    )
    assert require_fit(other, setup.card) is None


def test_more_cards_and_faster_ones_are_faster():
    one = estimate_step(set_up("qwen3-8b"))
    two = estimate_step(set_up("qwen3-8b", "--cluster.nodes", "2"))
    assert two.train == pytest.approx(one.train / 2)
    assert two.generate < one.generate
    assert two.total < one.total
    slow = estimate_step(set_up("qwen3-8b", card="a100-80gb"))
    assert slow.train == pytest.approx(one.train * 989 / 312)
    assert slow.generate > one.generate


def test_grpo_without_predictions_is_shorter():
    masa, grpo = (set_up("qwen3-8b", "--mode", mode) for mode in ("masa", "grpo"))
    assert grpo.step_tokens < masa.step_tokens
    assert estimate_step(grpo).total < estimate_step(masa).total


def test_without_room_for_a_sequence_there_is_no_time():
    assert estimate_step(set_up("qwen3-14b", card="rtx-4090")).generate == float("inf")
