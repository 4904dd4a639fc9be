import importlib.util
import json
import random
import re
import subprocess
import sys
from collections import Counter

import pytest
from masa_openrlhf.cache import fill_once
from masa_openrlhf.config.layers import build_config, read_preset
from masa_openrlhf.tiny import (
    MAX_LENGTH,
    MAX_META_TOKENS,
    MAX_PROMPT_TOKENS,
    MAX_SOLUTION_TOKENS,
    META_TEMPLATE,
    MIN_LENGTH,
    PASS_RATE_SCALE,
    SOLUTION_TEMPLATE,
    assets,
    prepare_assets,
)
from masa_openrlhf.tiny.demonstrations import NOTIONS, write_meta_demo, write_solution_demo
from masa_openrlhf.tiny.model import make_model
from masa_openrlhf.tiny.ship import find_preset_key
from masa_openrlhf.tiny.task import RECIPES, ChainStep, apply_step, is_crossing, make_problems
from masa_openrlhf.tiny.warmup import (
    WarmUpSettings,
    accumulate_gradient,
    make_demonstrations,
    warm_up_model,
)
from masa_rewards import AnswerVerifier, MetaPrompt

needs_torch = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("torch", "transformers"))), reason="needs an extra"
)
# Raised while torch, and what transformers draws in with it, are imported.
pytestmark = [
    pytest.mark.filterwarnings("ignore:The pynvml package is deprecated:FutureWarning"),
    pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning"),
]

PROMPT = MetaPrompt(
    wording=META_TEMPLATE, scale=PASS_RATE_SCALE, min_length=MIN_LENGTH, max_length=MAX_LENGTH
)
SHORT = WarmUpSettings(careful_steps=2, mixed_steps=2, batch=4)


# --- the task


def test_the_same_seed_draws_the_same_problems_and_another_does_not():
    assert make_problems(50, 3) == make_problems(50, 3)
    assert make_problems(50, 3) != make_problems(50, 4)


def test_a_problem_drawn_once_is_known_by_heart():
    first = make_problems(1, 0)[0]
    assert re.fullmatch(r"Mod 100, from \d\d:(\n\([a-e]\) \w+ \d){1,5}", first.problem)


SIGNS = {"plus": "+", "minus": "-", "times": "*"}


def evaluate(text):
    """The chain, worked from its text alone."""
    value = int(re.search(r"from (\d\d):", text)[1])
    for name, digit in re.findall(r"\([a-e]\) (\w+) (\d)", text):
        value = eval(f"{value} {SIGNS[name]} {digit}") % 100
    return value


def test_answers_agree_with_an_evaluation_of_the_text():
    taught = [p for p in make_problems(2000, 0) if p.kind != "hash"]
    assert len(taught) > 1300
    assert all(int(p.answer) == evaluate(p.problem) for p in taught)


@pytest.mark.parametrize(
    ("value", "step", "result", "crossing"),
    [
        (47, ChainStep("plus", 8), 55, True),
        (95, ChainStep("plus", 8), 3, True),
        (41, ChainStep("plus", 8), 49, False),
        (3, ChainStep("minus", 9), 94, True),
        (49, ChainStep("minus", 9), 40, False),
        (47, ChainStep("times", 3), 41, False),
    ],
)
def test_steps(value, step, result, crossing):
    assert apply_step(value, step) == result
    assert is_crossing(value, step) is crossing


def test_the_kinds_come_up_by_their_weights_and_look_different():
    problems = make_problems(1000, 1)
    assert sum(recipe.weight for recipe in RECIPES.values()) == pytest.approx(1)
    counts = Counter(p.kind for p in problems)
    for kind, recipe in RECIPES.items():
        assert counts[kind] / 1000 == pytest.approx(recipe.weight, abs=0.04)
    assert all(("hash" in p.problem) == (p.kind == "hash") for p in problems)


def test_no_problem_comes_up_twice_and_excluded_ones_never():
    held = make_problems(300, 1)
    train = make_problems(3000, 0, exclude={p.problem for p in held})
    assert len({p.problem for p in held + train}) == 3300
    assert len({p.id for p in held + train}) == 3300


def test_only_the_kinds_asked_for():
    assert {p.kind for p in make_problems(100, 0, kinds=("long", "carry"))} == {"long", "carry"}


# --- demonstrations


def test_careful_demonstrations_are_right_and_mixed_ones_often_not():
    rng = random.Random(0)
    problems = [p for p in make_problems(300, 0) if p.kind != "hash"]
    with AnswerVerifier() as verifier:

        def right(careful):
            demos = (write_solution_demo(p, rng, careful=careful) for p in problems)
            return [
                verifier.verify(demo, p.answer).status == "correct"
                for demo, p in zip(demos, problems, strict=True)
            ]

        assert all(right(careful=True))
        assert 0.35 < sum(right(careful=False)) / len(problems) < 0.65


def test_the_untaught_operation_is_guessed_even_by_the_careful():
    rng = random.Random(0)
    untaught = make_problems(200, 0, kinds=("hash",))
    demos = [write_solution_demo(p, rng, careful=True) for p in untaught]
    right = [
        demo.endswith(f"{{{int(p.answer):02d}}}") for demo, p in zip(demos, untaught, strict=True)
    ]
    assert not any(right)


def test_predictions_are_readable_and_say_nothing_of_the_problem():
    problem = make_problems(1, 0)[0]
    rng = random.Random(0)
    predictions = [PROMPT.parse(write_meta_demo(problem, rng)) for _ in range(500)]
    assert not any(p.missing for p in predictions)
    assert {p.pass_rate for p in predictions} == {k / PASS_RATE_SCALE for k in range(9)}
    assert {notion for p in predictions for notion in p.notions} == set(NOTIONS)
    assert all(MIN_LENGTH <= p.length <= MAX_LENGTH for p in predictions)


def test_both_prompts_hold_the_problem():
    assert PROMPT.render("1 + 1?").startswith("1 + 1?")
    assert SOLUTION_TEMPLATE.format(problem="1 + 1?").startswith("1 + 1?")


def test_importing_it_is_cheap():
    code = (
        "import sys, masa_openrlhf.tiny; print(sorted({'torch','transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- tokenizer


@pytest.fixture(scope="module")
def tokenizer():
    from masa_openrlhf.tiny.tokenizer import make_tokenizer

    return make_tokenizer()


@needs_torch
@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\n\n  x",
        r"Let $\frac{a}{b} = \sqrt[3]{2}$. Find $a+b$.",
        "Ünïcode ∫ 日本語 \x00 \u200b ½ ٣ \U0001f600\r\n\ttab",
        '{"math_notion": ["carry"], "pass_rate": 12345}',
    ],
)
def test_any_text_comes_back(tokenizer, text):
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


@needs_torch
def test_words_of_the_task_and_pieces_of_json_are_one_token(tokenizer):
    words = [form for n in NOTIONS for form in (n, f" {n}")]
    words += [f" {op}" for op in ("plus", "minus", "times", "hash")] + [f" {d}" for d in range(10)]
    words += ["\n(a)", "\n(e)", "\\boxed{", "<meta>", "</meta>", '{"pass_rate":']
    words += [', "solution_length":', ', "math_notion": ["', '", "', '"]}']
    lengths = {word: len(tokenizer(word)["input_ids"]) for word in words}
    assert {word for word, n in lengths.items() if n != 1} == set()
    assert len(tokenizer("47")["input_ids"]) == 2
    assert len(tokenizer) % 64 == 0


@needs_torch
def test_prompts_and_demonstrations_fit_their_limits(tokenizer):
    rng = random.Random(0)
    problems = make_problems(500, 0)
    metas = make_demonstrations(tokenizer, problems, rng, 1.0)
    solutions = make_demonstrations(tokenizer, problems, rng, 0.0)
    assert max(len(row.prompt) for row in metas + solutions) <= MAX_PROMPT_TOKENS
    assert max(len(row.response) for row in metas) <= MAX_META_TOKENS
    short = [len(row.response) <= MAX_SOLUTION_TOKENS for row in solutions]
    assert sum(short) / len(short) > 0.98
    assert all(row.response[-1] == tokenizer.eos_token_id for row in metas + solutions)


@needs_torch
def test_the_chat_template_keeps_a_conversation_apart(tokenizer):
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=False)
    assert text == "<|user|>a<|assistant|>b<|end|>"
    opened = tokenizer.apply_chat_template(turns[:1], tokenize=False, add_generation_prompt=True)
    assert opened == "<|user|>a<|assistant|>"


# --- model and warm-up


@needs_torch
def test_the_model_is_tiny_and_its_seed_decides_it(tokenizer):
    import torch
    from masa_openrlhf.tiny.model import make_model

    before = torch.random.get_rng_state()
    models = [make_model(tokenizer, seed) for seed in (0, 0, 1)]
    assert torch.equal(before, torch.random.get_rng_state())
    first, same, other = (m.model.embed_tokens.weight for m in models)
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
    assert 200_000 < sum(p.numel() for p in models[0].parameters()) < 300_000
    assert models[0].config.head_dim == 32


@needs_torch
def test_the_loss_is_a_mean_over_response_tokens_however_it_is_chunked(tokenizer):
    from masa_openrlhf.tiny.model import make_model

    model = make_model(tokenizer, 0)
    rows = make_demonstrations(tokenizer, make_problems(7, 0), random.Random(0), 0.5)
    losses = [accumulate_gradient(model, rows, tokenizer.pad_token_id, chunks) for chunks in (1, 3)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


@needs_torch
def test_a_short_warm_up_lowers_the_loss(tokenizer):
    from masa_openrlhf.tiny.model import make_model

    seen = []
    settings = WarmUpSettings(careful_steps=12, mixed_steps=0, batch=16, meta_share=0.0)
    losses = warm_up_model(
        make_model(tokenizer, 0),
        tokenizer,
        0,
        settings=settings,
        progress=lambda share, message: seen.append((share, message)),
    )
    assert losses[-1] < losses[0] - 2
    assert seen[-1][0] == 1.0
    assert len(seen) == len(losses) == 12


# --- prepare


@needs_torch
def test_prepare_makes_what_the_stack_loads_and_makes_it_once(tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    made = prepare_assets(tmp_path, problems=20, held_out=5, settings=SHORT)
    model = AutoModelForCausalLM.from_pretrained(made.model_dir)
    tokenizer = AutoTokenizer.from_pretrained(made.model_dir)
    assert str(model.dtype) == "torch.bfloat16"
    assert model.config.eos_token_id == model.generation_config.eos_token_id == 1
    assert tokenizer.decode(tokenizer("日本 carry")["input_ids"]) == "日本 carry"
    train, held = (
        [json.loads(line) for line in file.read_text().splitlines()] for file in made[1:]
    )
    assert (len(train), len(held)) == (20, 5)
    assert set(train[0]) == {"problem", "answer", "id", "kind"}
    assert not {row["problem"] for row in train} & {row["problem"] for row in held}

    stamps = {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*")}
    called = []
    again = prepare_assets(
        tmp_path, problems=20, held_out=5, settings=SHORT, progress=lambda *a: called.append(a)
    )
    assert again == made
    assert called == []
    assert {file: file.stat().st_mtime_ns for file in tmp_path.rglob("*")} == stamps


def test_the_model_that_comes_with_the_package_is_that_of_todays_code():
    """Else a first run would make it on the spot, and take two minutes longer."""
    stated = (assets.SHIPPED / assets.KEY_FILE).read_text().strip()
    assert stated == find_preset_key(), "make it anew: python -m masa_openrlhf.tiny.ship"


def test_a_first_run_copies_the_model_of_the_package(tmp_path, monkeypatch):
    monkeypatch.setattr(assets, "_make_model", lambda *rest: pytest.fail("it is made on the spot"))
    tiny = build_config(read_preset("tiny")).tiny
    made = prepare_assets(tmp_path, seed=tiny.seed, problems=tiny.problems, held_out=tiny.held_out)
    shipped = {file.name: file.read_bytes() for file in assets.SHIPPED.iterdir()}
    del shipped[assets.KEY_FILE]
    assert {file.name: file.read_bytes() for file in made.model_dir.iterdir()} == shipped


def test_fewer_held_out_problems_are_the_first_ones_and_need_no_other_model(tmp_path, monkeypatch):
    monkeypatch.setattr(assets, "_make_model", lambda *rest: pytest.fail("it is made on the spot"))
    few = prepare_assets(tmp_path, problems=20, held_out=8)
    many = prepare_assets(tmp_path, problems=20, held_out=assets.RESERVED)
    assert few.model_dir == many.model_dir
    few_held, many_held = (made.eval_file.read_text().splitlines() for made in (few, many))
    assert few_held == many_held[:8]


def test_other_words_in_the_code_make_no_other_model():
    said = 'def f():\n    """Says {}.\n\n    More.\n    """\n    return {}\n'
    one, other, changed = (
        assets._drop_docstrings(said.format(*parts))
        for parts in (("this", 1), ("that", 1), ("", 2))
    )
    assert one == other == "def f():\n    return 1"
    assert changed != one


@needs_torch
def test_the_model_of_the_package_solves_what_its_warm_up_taught(tmp_path):
    """Its loss on fresh demonstrations is that of a warm-up, far below that of random weights."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(assets.SHIPPED)
    rng = random.Random(5)
    rows = make_demonstrations(tokenizer, make_problems(64, 99), rng, 0.15)
    losses = []
    for model in (
        AutoModelForCausalLM.from_pretrained(assets.SHIPPED, dtype=torch.float32),
        make_model(tokenizer, 0),
    ):
        losses.append(accumulate_gradient(model, rows, tokenizer.pad_token_id, 1))
    assert losses[0] < 0.9
    assert losses[1] > 3


def test_other_arguments_are_kept_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setattr(assets, "_make_model", lambda folder, *rest: (folder / "made").touch())
    first = prepare_assets(tmp_path, problems=20, held_out=5)
    more = prepare_assets(tmp_path, problems=30, held_out=5)
    other = prepare_assets(tmp_path, seed=1, problems=20, held_out=5)
    assert first.model_dir == more.model_dir != other.model_dir
    assert len({first.train_file, more.train_file, other.train_file}) == 3


def test_a_failed_attempt_leaves_nothing_and_the_next_succeeds(tmp_path, monkeypatch):
    def killed(folder, *rest):
        (folder / "half").touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(assets, "_make_model", killed)
    with pytest.raises(KeyboardInterrupt):
        prepare_assets(tmp_path, seed=3, problems=3, held_out=2)
    assert not list(tmp_path.glob("model-*"))
    assert not list(tmp_path.glob(".making-*"))

    monkeypatch.setattr(assets, "_make_model", lambda folder, *rest: (folder / "made").touch())
    made = prepare_assets(tmp_path, seed=3, problems=3, held_out=2)
    assert [file.name for file in made.model_dir.iterdir()] == ["made"]


def test_of_two_at_once_the_first_to_finish_wins(tmp_path):
    target = tmp_path / "asset"

    def slow(folder):
        (folder / "mine").touch()
        target.mkdir()
        (target / "theirs").touch()

    assert fill_once(target, slow) == target
    assert [file.name for file in target.iterdir()] == ["theirs"]
    assert [file.name for file in tmp_path.iterdir()] == ["asset"]
