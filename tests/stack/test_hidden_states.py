"""Hidden states of prompts: the same in a padded batch as alone, and a share for every rank."""

import pytest
from hypothesis import given
from hypothesis import strategies as st


@pytest.fixture(scope="module")
def model(importable_here):
    import torch
    from transformers import AutoModelForCausalLM, Qwen3Config

    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=50,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=4,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
    )
    return AutoModelForCausalLM.from_config(config).eval()


def states_of(model, prompts):
    import torch
    from masa_openrlhf.reading.hidden_states import pad_prompts

    tokens, mask = pad_prompts(prompts, 0)
    places = (mask.cumsum(dim=-1) - 1).clamp(min=0)
    with torch.no_grad():
        output = model(
            tokens,
            attention_mask=mask,
            position_ids=places,
            output_hidden_states=True,
            logits_to_keep=1,
        )
    assert output.logits.shape[1] == 1  # of a vocabulary of 150,000, those of all would not fit
    return output.hidden_states, mask


PROMPTS = [[3, 4, 5], [9], [7, 8, 9, 10, 11, 12, 13], [7, 8]]


def test_padding_changes_nothing(model):
    from masa_openrlhf.reading.hidden_states import pool_hidden_states

    together = pool_hidden_states(*states_of(model, PROMPTS), (0.5, 1.0))
    assert together.shape == (4, 2 * 2 * 16)
    for row, prompt in zip(together, PROMPTS, strict=True):
        (alone,) = pool_hidden_states(*states_of(model, [prompt]), (0.5, 1.0))
        assert row == pytest.approx(alone, abs=1e-4)


def test_the_last_token_and_the_mean_of_the_layers_that_were_asked_for(model):
    from masa_openrlhf.reading.hidden_states import pool_hidden_states

    states, mask = states_of(model, PROMPTS)
    found = pool_hidden_states(states, mask, (0.5, 1.0))
    for row, prompt in enumerate(PROMPTS):
        for part, layer in enumerate((states[2], states[4])):
            last, mean = found[row, 32 * part : 32 * part + 16], found[row, 32 * part + 16 :][:16]
            assert last == pytest.approx(layer[row, len(prompt) - 1].numpy(), abs=1e-5)
            assert mean == pytest.approx(layer[row, : len(prompt)].mean(dim=0).numpy(), abs=1e-5)


@given(
    st.lists(st.integers(1, 60), min_size=1, max_size=40),
    st.integers(1, 100),
    st.integers(1, 5),
)
def test_every_prompt_is_read_and_every_rank_has_as_many_batches(lengths, limit, ranks):
    from masa_openrlhf.reading.hidden_states import batch_prompts

    batches = batch_prompts(lengths, limit, ranks)
    assert len(batches) % ranks == 0
    assert {position for batch in batches for position in batch} == set(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= limit


def test_no_prompt_makes_no_batch():
    from masa_openrlhf.reading.hidden_states import batch_prompts

    assert batch_prompts([], 10, 2) == []
