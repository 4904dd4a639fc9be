"""A model of a few thousand weights whose every token says something that can be judged.

Run in a stack's own environment: `python trl_tiny.py FOLDER` saves model and tokenizer there.
"""

import json
import sys

PAD, END, UNKNOWN = "<pad>", "<end>", "<unk>"
NOTIONS = ["sum", "carry", "parity"]
# Most say 1, with a notion: a problem whose answer that is has a pass rate to speak of.
ANSWERS = [*(rf"{notion}:\boxed{{1}}" for notion in NOTIONS), r"\boxed{1}", r"\boxed{2}"]
PREDICTIONS = [
    json.dumps(
        {"pass_rate": rate, "solution_length": length, "math_notion": [notion]},
        separators=(",", ":"),  # no white space: a word, so a token
    )
    for rate in (4, 8)
    for length in (3, 6)
    for notion in NOTIONS
]
VOCABULARY = [PAD, END, UNKNOWN, *ANSWERS, *NOTIONS, *PREDICTIONS, "meta", "user", "assistant"]
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ message['role'] }} {{ message['content'] }} "
    "{% if message['role'] == 'assistant' %}<end> {% endif %}{% endfor %}"
    "{% if add_generation_prompt %}assistant {% endif %}"
)


def make_tokenizer():
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = {word: index for index, word in enumerate(VOCABULARY)}
    inner = Tokenizer(models.WordLevel(words, unk_token=UNKNOWN))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=inner,
        pad_token=PAD,
        eos_token=END,
        unk_token=UNKNOWN,
        padding_side="left",
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def make_model(tokenizer):
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=len(VOCABULARY),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        max_position_embeddings=512,
        tie_word_embeddings=False,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )
    model = Qwen3ForCausalLM(config)
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    return model


if __name__ == "__main__":
    tokenizer = make_tokenizer()
    tokenizer.save_pretrained(sys.argv[1])
    make_model(tokenizer).save_pretrained(sys.argv[1])
