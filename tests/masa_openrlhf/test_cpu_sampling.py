"""Next tokens are drawn from the softmax, whatever is drawn beside them."""

import ast
import math

import pytest
from masa_openrlhf.arguments.installed import find_source_file
from masa_openrlhf.cpu.sampling import LARGE, draw_tokens

torch = pytest.importorskip("torch")


def generators(rows, first=0):
    return {row: torch.Generator().manual_seed(first + row) for row in rows}


def test_tokens_come_as_often_as_their_probability_says():
    probabilities = torch.tensor([0.5, 0.25, 0.125, 0.1, 0.025, 0.0])
    rows = 40_000
    torch.manual_seed(0)
    drawn = draw_tokens(probabilities.log().repeat(rows, 1), {})
    counts = torch.bincount(drawn, minlength=6)
    assert counts[5] == 0
    for count, p in zip(counts.tolist(), probabilities.tolist(), strict=True):
        assert abs(count - rows * p) <= 4 * math.sqrt(rows * p * (1 - p))


def test_a_rare_token_behind_a_large_vocabulary_is_as_frequent_as_it_should_be():
    """In float32 the distribution function would end in steps larger than its probability."""
    logits = torch.zeros(50_000)
    logits[-1] = math.log(49_999 * 0.02 / 0.98)
    torch.manual_seed(0)
    drawn = draw_tokens(logits.repeat(2000, 1), {})
    share = float((drawn == 49_999).float().mean())
    assert abs(share - 0.02) < 4 * math.sqrt(0.02 * 0.98 / 2000)


def test_a_seeded_row_does_not_depend_on_the_others():
    logits = torch.randn(6, LARGE, generator=torch.Generator().manual_seed(1))
    together = draw_tokens(logits, generators(range(6)))
    assert [int(draw_tokens(logits[i : i + 1], generators([0], i))[0]) for i in range(6)] == (
        together.tolist()
    )
    assert draw_tokens(logits, generators(range(6))).tolist() == together.tolist()


def test_what_is_masked_is_never_drawn():
    logits = torch.full((500, LARGE), -math.inf)
    logits[:, 7] = logits[:, -1] = 0.0
    assert set(draw_tokens(logits, generators(range(500))).tolist()) == {7, LARGE - 1}


def test_vllms_sampler_is_what_is_replaced():
    try:
        file = find_source_file("vllm/v1/sample/ops/topk_topp_sampler.py")
    except ModuleNotFoundError:
        pytest.skip("the stack is not installed: masa-openrlhf[cpu]")
    parts = {
        node.name: node for node in ast.parse(file.read_text("utf-8")).body if hasattr(node, "name")
    }
    assert "apply_top_k_top_p" in parts
    methods = {node.name: node for node in parts["TopKTopPSampler"].body if hasattr(node, "name")}
    arguments = [argument.arg for argument in methods["forward_cpu"].args.args]
    assert arguments == ["self", "logits", "generators", "k", "p"]
