"""Two steps of verl on a CPU, run in verl's environment: python verl_steps.py FOLDER OVERRIDES...

In the folder are rows.py, which makes train.parquet, and script.json, what the policy answers.
Everything is verl's own (configuration, data set, agent loop, TransferQueue, reward workers, replay
buffer, advantages, loss) but two: a scripted client stands for its LLM server, which is vLLM or
SGLang on a GPU, and torch's optimiser for its training worker, which places itself on GPUs.
"""

import json
import os
import runpy
import sys
from pathlib import Path

os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] = "0"  # set up by uv, started by it, but done with it
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"

import ray
import torch
import transfer_queue as tq
import verl
import verl_tiny
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf, open_dict
from transformers import AutoModelForCausalLM
from verl.experimental.reward_loop import RewardLoopManager
from verl.trainer.ppo.core_algos import compute_policy_loss_vanilla
from verl.trainer.ppo.v1 import AgentLoopManagerTQ, get_trainer_cls
from verl.utils.config import omega_conf_to_dataclass
from verl.utils.torch_functional import logprobs_from_logits
from verl.workers.rollout.replica import TokenOutput


class ScriptedClient:
    """Answers in the place of verl's LLM server."""

    def __init__(self, tokenizer, script):
        self.tokenizer, self.script = tokenizer, script
        self.asked = {}

    async def generate(self, *, prompt_ids, **_):
        text = self.tokenizer.decode(prompt_ids, skip_special_tokens=True)
        solutions, predictions = next(self.script[asked] for asked in self.script if asked in text)
        answers = predictions if "Predict" in text else solutions
        before = self.asked.get(text, 0)
        self.asked[text] = before + 1
        ids = self.tokenizer.encode(answers[before % len(answers)], add_special_tokens=False)
        return TokenOutput(token_ids=[*ids, self.tokenizer.eos_token_id], stop_reason="completed")


class CpuTrainer(get_trainer_cls("sync")):
    """verl's trainer, without the workers that want a GPU."""

    def start(self, script):
        self.global_steps = 1
        self._init_dump_executor()
        self._init_tokenizer()
        self._init_dataloader()
        self.reward_loop_manager = RewardLoopManager(self.config)
        self.agent_loop_manager = AgentLoopManagerTQ.create(
            config=self.config,
            llm_client=ScriptedClient(self.tokenizer, script),
            reward_loop_worker_handles=self.get_reward_handles(),
        )
        path = self.config.actor_rollout_ref.model.path
        self.model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-2)
        self.actor_config = omega_conf_to_dataclass(self.config.actor_rollout_ref.actor)

    def train_step(self):
        size = self.config.data.train_batch_size
        self._add_batch_to_generate()
        batch, _ = self.replay_buffer.sample(
            global_steps=self.global_steps, partition_id="train", batch_size=size
        )
        self._compute_advantage(batch, {})
        fields = ["uid", "input_ids", "prompts", "responses", "response_mask", "rm_scores"]
        fields += ["advantages", "extra_info", "extra_fields"]
        data = tq.kv_batch_get(keys=batch.keys, partition_id="train", select_fields=fields)
        self._log_rollout_data(batch, {}, "rollouts")
        rows = [self.row(data, place) for place in range(len(batch.keys))]
        loss = self.update(rows)
        tq.kv_clear(keys=batch.keys, partition_id=batch.partition_id)
        self.global_steps += 1
        return {"loss": loss, "samples": [row["told"] for row in rows]}

    def row(self, data, place):
        advantages = data["advantages"][place]
        info = unwrap_data(data["extra_info"][place])
        fields = unwrap_data(data["extra_fields"][place])
        responses = data["responses"][place]
        return {
            "input_ids": data["input_ids"][place],
            "responses": responses,
            "advantages": advantages,
            "told": {
                "kind": info["kind"],
                "problem": info["problem"],
                "text": self.tokenizer.decode(responses, skip_special_tokens=True),
                "length": len(responses),
                "reward": data["rm_scores"][place].sum().item(),
                "advantage": advantages[0].item(),
                "told": fields["reward_extra_info"],
            },
        }

    def update(self, rows):
        losses = []
        for row in rows:
            length = len(row["responses"])
            logits = self.model(row["input_ids"][None]).logits[:, -length - 1 : -1]
            log_prob = logprobs_from_logits(logits, row["responses"][None])
            loss, _ = compute_policy_loss_vanilla(
                log_prob.detach(),
                log_prob,
                row["advantages"][None],
                torch.ones(1, length),
                config=self.actor_config,
            )
            losses.append(loss)
        total = torch.stack(losses).mean()
        self.optimizer.zero_grad()
        total.backward()
        self.optimizer.step()
        return total.item()


def unwrap_data(value):
    return getattr(value, "data", value)


def compose_config(folder, overrides):
    where = Path(verl.__file__).parent / "trainer" / "config"
    tiny = [
        f"actor_rollout_ref.model.path={folder}/model",
        "data.dataloader_num_workers=0",
        "data.max_prompt_length=4096",
        "actor_rollout_ref.rollout.name=vllm",
        "actor_rollout_ref.rollout.agent.num_workers=1",
        "actor_rollout_ref.actor.ppo_micro_batch_size_per_gpu=1",
        "transfer_queue.backend.SimpleStorage.num_data_storage_units=1",
    ]
    with initialize_config_dir(str(where), version_base=None):
        config = compose("ppo_trainer", [*overrides, *tiny])
    with open_dict(config):
        config.transfer_queue.enable = True
    OmegaConf.resolve(config)
    return config


def main(folder, *overrides):
    os.chdir(folder)
    verl_tiny.save_tiny_model("model")
    runpy.run_path("rows.py")
    config = compose_config(folder, overrides)
    ray.init(address="local", num_cpus=4, include_dashboard=False, logging_level="warning")
    tq.init(config.transfer_queue)
    trainer = CpuTrainer(config)
    trainer.start(json.loads(Path(folder, "script.json").read_text()))
    before = [parameter.detach().clone() for parameter in trainer.model.parameters()]
    steps = [trainer.train_step(), trainer.train_step()]
    trainer._shutdown_dump_executor()
    moved = max(
        (now - then).abs().max().item()
        for now, then in zip(trainer.model.parameters(), before, strict=True)
    )
    Path(folder, "result.json").write_text(json.dumps({"steps": steps, "moved": moved}))


if __name__ == "__main__":
    main(*sys.argv[1:])
