"""Every recipe fits its cards, and OpenRLHF's parser takes it, however it is trained."""

import re
from pathlib import Path

import pytest
from masa_openrlhf.arguments.build import build_arguments
from masa_openrlhf.arguments.parse import parse_arguments
from masa_openrlhf.config.presets import list_presets
from masa_openrlhf.plan.activations import compute_training_peak
from masa_openrlhf.plan.cards import GIB
from masa_openrlhf.plan.fit import change_gpus
from masa_openrlhf.plan.shapes import SHAPES
from masa_openrlhf.plan.table import RECIPES, render_fitted, render_recipes
from masa_openrlhf.plan.verdict import make_plan
from masa_openrlhf.run.folder import RunFolder

from tests.masa_openrlhf.plan.plans import set_up

DOCS = Path(__file__).parents[3] / "docs"


def test_every_preset_of_a_large_model_is_a_recipe():
    on_cpu = {"tiny", "smollm2-135m"}
    assert {preset for preset, _, _ in RECIPES} == set(list_presets()) - on_cpu


@pytest.mark.parametrize(("preset", "card", "gpus"), RECIPES)
@pytest.mark.parametrize("mode", ["masa", "masa-efficient", "grpo"])
@pytest.mark.parametrize("algorithm", ["grpo", "dapo"])
def test_a_recipe_fits_its_cards_and_openrlhf_takes_it(preset, card, gpus, mode, algorithm):
    flags = ["--mode", mode, "--algorithm", algorithm]
    setup = change_gpus(set_up(preset, *flags, card=card), gpus)
    assert make_plan(setup).faults == ()
    config = setup.config
    args = parse_arguments(build_arguments(config, RunFolder(Path("run")), cpu=False, resume=False))
    assert args.actor.model_name_or_path == config.model.path
    assert args.actor.num_nodes * args.actor.num_gpus_per_node == gpus
    assert args.vllm.num_engines * args.vllm.tensor_parallel_size == gpus
    assert args.train.batch_size % gpus == 0


def test_the_docs_have_the_tables_that_the_command_prints():
    assert render_recipes() in (DOCS / "guides" / "plan.md").read_text("utf-8")
    assert render_fitted() in (DOCS / "reference" / "plan_tables.md").read_text("utf-8")


def test_the_docs_have_the_closed_forms_error():
    docs = (DOCS / "reference" / "plan_tables.md").read_text("utf-8")
    rows = re.findall(
        r"\| (Qwen/\S+) \| ([\d,]+) \| [\d.]+ \| ([\d.]+) \| ([\d.]+) \((.*)%\) \|", docs
    )
    assert len(rows) == 6
    for name, tokens, measured, planned, error in rows:
        found = compute_training_peak(SHAPES[name], int(tokens.replace(",", ""))).total / GIB
        assert float(planned) == pytest.approx(found, abs=0.005)
        assert float(error) == pytest.approx(100 * (found / float(measured) - 1), abs=0.4)
