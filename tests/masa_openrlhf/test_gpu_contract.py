"""What a GPU run replaces of OpenRLHF, DeepSpeed and transformers is still what it replaces.

The installed sources are read, not imported. A new version that moves something fails here, with
its name; then look at the file of ``masa_openrlhf/gpu/`` that the test names.
"""

import ast
import re

import pytest
from masa_openrlhf.gpu import environment

from tests.masa_openrlhf.test_contract import SITE, find, parameters


def source(relative):
    return (SITE / relative).read_text(encoding="utf-8")


@pytest.mark.filterwarnings("ignore")  # of escapes in OpenRLHF's strings
def test_openrlhf_imports_of_flash_attn_what_padding_lends_it():
    """masa_openrlhf/gpu/padding.py."""
    asked = {}
    for path in sorted((SITE / "openrlhf").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("flash_attn"):
                names = sorted(alias.name for alias in node.names)
                asked[path.relative_to(SITE).as_posix(), node.module] = names
    assert asked == {
        ("openrlhf/models/ring_attn_utils.py", "flash_attn.bert_padding"): [
            "index_first_axis",
            "pad_input",
            "rearrange",
            "unpad_input",
        ],
        ("openrlhf/models/ring_attn_utils.py", "flash_attn.utils.distributed"): ["all_gather"],
        # Within a function, and passed over where it is missing.
        ("openrlhf/models/utils.py", "flash_attn.ops.triton.cross_entropy"): ["cross_entropy_loss"],
    }
    used = ast.unparse(find("openrlhf/models/ring_attn_utils.py", "unpad_and_slice_tensor"))
    assert "sequences, indices, cu_seqlens, _, _ = unpad_input(" in used


def test_the_model_wrapper_is_made_and_called_as_ours_is():
    """masa_openrlhf/gpu/actor.py."""
    made = parameters(find("openrlhf/models/actor.py", "Actor.__init__"))
    assert made[:3] == ["self", "pretrain_or_model", "attn_implementation"]
    assert {"packing_samples", "temperature", "use_liger_kernel"} <= set(made)
    assert parameters(find("openrlhf/models/actor.py", "Actor.forward")) == [
        "self",
        "sequences",
        "action_mask",
        "attention_mask",
        "return_output",
        "allgather_logits",
        "return_logprobs",
        "ring_attn_group",
        "packed_seq_lens",
        "return_entropy",
    ]


@pytest.mark.filterwarnings("ignore")  # of escapes in OpenRLHF's strings
def test_nobody_gives_the_attention_by_its_place():
    for path in (SITE / "openrlhf").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Actor":
                assert len(node.args) == 1, f"{path.name}: {ast.unparse(node)}"


FORWARD = """\
batch, seqlen = sequences.size()
sequences, position_ids, rolled_sequences, ring_attn_pad_len, indices = unpad_and_slice_tensor(\
sequences, attention_mask, ring_attn_group)
foward_attention_mask = None
rolled_sequences = torch.roll(sequences, shifts=-1, dims=1)
foward_attention_mask = attention_mask
position_ids = attention_mask.long().cumsum(-1) - 1
position_ids.masked_fill_(attention_mask == 0, 1)
output = self.model(sequences, attention_mask=foward_attention_mask, position_ids=position_ids, \
**mm_inputs)
output['logits'] = output['logits'].to(torch.float32)
output['logits'].div_(self.temperature)
entropy = compute_entropy(output['logits'])
setattr(output, 'entropy', entropy[:, :-1])
log_probs = log_probs_from_logits(output['logits'], rolled_sequences)
log_probs = gather_and_pad_tensor(log_probs, ring_attn_group, ring_attn_pad_len, indices, batch, \
seqlen)
log_probs = log_probs[:, :-1]
action_log_probs = log_probs[:, -action_mask.shape[1]:] * action_mask.float()
return (action_log_probs, output) if return_output else action_log_probs"""


@pytest.mark.parametrize("statement", FORWARD.splitlines())
def test_log_probabilities_are_what_ours_are(statement):
    """What ``forward`` of masa_openrlhf/gpu/actor.py computes in another way, line by line."""
    assert statement in ast.unparse(find("openrlhf/models/actor.py", "Actor.forward"))


def test_of_the_output_training_takes_no_logits():
    step = ast.unparse(find("openrlhf/trainer/ray/ppo_actor.py", "ActorPPOTrainer.training_step"))
    assert set(re.findall(r"output\.(\w+)", step)) == {"aux_loss", "entropy"}
    assert "output[" not in step


def test_the_models_of_the_presets_return_the_last_layers_answer_as_it_is():
    """masa_openrlhf/gpu/log_probs.py; any other model is found out when it runs."""
    body = ast.unparse(
        find("transformers/models/qwen3/modeling_qwen3.py", "Qwen3ForCausalLM.forward")
    )
    assert "logits = self.lm_head(hidden_states[:, slice_indices, :])" in body
    assert "logits=logits" in body
    assert len(re.findall(r"\blogits = ", body)) == 1


def test_openrlhf_writes_flash_attention_2_over_any_other_name_when_it_packs():
    """masa_openrlhf/gpu/attention.py exchanges that name."""
    script = source("openrlhf/cli/train_ppo_ray.py")
    assert 'if "flash_attention" not in args.ds.attn_implementation:' in script
    assert 'args.ds.attn_implementation = "flash_attention_2"' in script


def test_attention_gets_positions_and_can_be_registered():
    """masa_openrlhf/gpu/attention.py."""
    layer = ast.unparse(
        find("transformers/models/qwen3/modeling_qwen3.py", "Qwen3DecoderLayer.forward")
    )
    assert "position_ids=position_ids" in layer
    attention = ast.unparse(
        find("transformers/models/qwen3/modeling_qwen3.py", "Qwen3Attention.forward")
    )
    assert "ALL_ATTENTION_FUNCTIONS.get_interface(" in attention
    assert "**kwargs" in attention
    assert "class AttentionInterface(GeneralInterface)" in source("transformers/modeling_utils.py")
    assert "class AttentionMaskInterface(" in source("transformers/masking_utils.py")
    assert parameters(find("transformers/utils/generic.py", "GeneralInterface.register")) == [
        "cls",
        "key",
        "value",
    ]


def test_torch_has_the_kernel_that_attention_calls():
    called = parameters(find("torch/nn/attention/varlen.py", "varlen_attn"))
    assert called[:7] == ["query", "key", "value", "cu_seq_q", "cu_seq_k", "max_q", "max_k"]
    assert {"scale", "window_size", "enable_gqa"} <= set(called)


def test_deepspeed_takes_states_off_the_device_for_the_class_that_is_replaced():
    """masa_openrlhf/gpu/adam.py."""
    offload = ast.unparse(
        find("deepspeed/runtime/zero/stage3.py", "DeepSpeedZeroOptimizer_Stage3.offload_states")
    )
    assert "self.optimizer.__class__ == deepspeed.ops.adam.fused_adam.FusedAdam" in offload
    moved = source("deepspeed/runtime/zero/offload_states.py")
    assert set(re.findall(r"move_key\(state, \"(\w+)\"\)", moved)) == {"exp_avg", "exp_avg_sq"}


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("ops/adam/__init__.py", "from .fused_adam import FusedAdam"),
        ("runtime/zero/utils.py", "from deepspeed.ops.adam import FusedAdam"),
        ("runtime/zero/utils.py", "return type(optimizer) in ZERO_SUPPORTED_OPTIMIZERS"),
        ("runtime/engine.py", "from ..ops.adam import FusedAdam"),
        ("runtime/engine.py", "from deepspeed.ops.adam import FusedAdam"),
        ("runtime/engine.py", "return FusedAdam, {'adam_w_mode': adam_w_mode}"),
    ],
)
def test_deepspeed_looks_its_adam_up_where_ours_is_put(file, line):
    assert line in source(f"deepspeed/{file}")


def test_deepspeed_calls_its_adam_with_what_ours_takes():
    assert parameters(find("deepspeed/ops/adam/fused_adam.py", "FusedAdam.__init__")) == [
        "self",
        "params",
        "lr",
        "bias_correction",
        "betas",
        "eps",
        "adam_w_mode",
        "weight_decay",
        "amsgrad",
        "set_grad_none",
    ]


def test_the_reference_model_is_looked_up_where_ours_is_put():
    """masa_openrlhf/stack/reference.py."""
    script = ast.unparse(ast.parse(source("openrlhf/cli/train_ppo_ray.py")))
    assert "from openrlhf.trainer.ray.launcher import" in script
    assert "ReferenceModelActor" in script
    assert find("openrlhf/trainer/ray/launcher.py", "ReferenceModelActor")


def test_openrlhf_logs_to_wandb_by_a_key_among_its_arguments():
    """masa_openrlhf/run/wandb_login.py."""
    trainer = source("openrlhf/trainer/ppo_trainer.py")
    assert "WandbLogger(self.args) if self.args.logger.wandb.key else None" in trainer
    logger = ast.unparse(find("openrlhf/utils/logging_utils.py", "WandbLogger.__init__"))
    assert "if not wandb.api.api_key:" in logger
    assert "project=args.logger.wandb.project" in logger


def test_vllm_compiles_no_sampler(monkeypatch):
    """masa_openrlhf/gpu/variables.py."""
    sampler = source("vllm/v1/sample/ops/topk_topp_sampler.py")
    assert "if not envs.VLLM_USE_FLASHINFER_SAMPLER:" in sampler
    monkeypatch.delenv("VLLM_USE_FLASHINFER_SAMPLER", raising=False)
    assert environment()["VLLM_USE_FLASHINFER_SAMPLER"] == "0"
    monkeypatch.setenv("VLLM_USE_FLASHINFER_SAMPLER", "1")
    assert environment()["VLLM_USE_FLASHINFER_SAMPLER"] == "1"
