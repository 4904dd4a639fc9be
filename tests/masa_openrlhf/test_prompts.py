"""What ends an answer in chat form, with tokenizers whose end of sequence is another token."""

import pytest
from masa_openrlhf.config.tree import TrainConfig

pytest.importorskip("torch", reason="the stack is not installed: masa-openrlhf[cpu]")
pytest.importorskip("transformers", reason="the stack is not installed: masa-openrlhf[cpu]")

QWEN = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] | trim }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LLAMA = (
    "{% for m in messages %}<|role|>{{ m['role'] }}\n\n{{ m['content'] }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|role|>assistant\n\n{% endif %}"
)
PLAIN = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}"


@pytest.fixture(scope="module")
def tokenizer():
    from masa_openrlhf.tiny.tokenizer import make_tokenizer

    return make_tokenizer


def with_template(tokenizer, template, *, special=(), eos="<|pad|>"):
    made = tokenizer()
    made.add_special_tokens({"additional_special_tokens": list(special), "eos_token": eos})
    made.chat_template = template
    return made


@pytest.mark.parametrize(
    ("template", "special", "eos", "ends"),
    [
        (QWEN, ["<|im_start|>", "<|im_end|>"], "<|pad|>", ["<|im_end|>"]),  # a base model's
        (QWEN, ["<|im_start|>", "<|im_end|>"], "<|im_end|>", []),  # a chat model's
        (LLAMA, ["<|role|>", "<|eot_id|>"], "<|pad|>", ["<|eot_id|>"]),
        (PLAIN, [], "<|pad|>", []),
        ("{% for m in messages %}{{ m['content'] }}{% endfor %}", [], "<|pad|>", []),
    ],
)
def test_a_turn_ends_with_what_the_template_puts_after_it(tokenizer, template, special, eos, ends):
    from masa_openrlhf.data.prompts import PromptEncoder, find_turn_ends

    made = with_template(tokenizer, template, special=special, eos=eos)
    assert find_turn_ends(made) == made.convert_tokens_to_ids(ends)
    assert PromptEncoder(made, TrainConfig()).ends_of_turn == find_turn_ends(made)
    without_form = TrainConfig.model_validate({"model": {"chat_template": False}})
    assert PromptEncoder(made, without_form).ends_of_turn == []


def test_the_tiny_model_ends_a_turn_with_its_end_of_sequence(tokenizer):
    from masa_openrlhf.data.prompts import find_turn_ends

    assert find_turn_ends(tokenizer()) == []
