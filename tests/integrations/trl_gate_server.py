"""TRL's own `VLLMGeneration`, in server mode and on two processes, with a scripted client.

Run in TRL's own environment with torchrun: what each process gets for its rows is what the client
made of their prompts, whichever rows each process has in a phase.
"""

import random
from functools import partial
from types import SimpleNamespace

from accelerate import Accelerator
from masa_control.integrations.trl_phases import PhasedGenerator, join_phases
from trl.generation.vllm_generation import VLLMGeneration

N = 4  # rollouts of a prompt


class ScriptedClient:
    """Answers a prompt [p] with [100 p + number of the rollout], and its logprob with -p."""

    def __init__(self):
        self.asked = []

    def generate(self, prompts, n, **_):
        self.asked.append(prompts)
        return {
            "prompt_ids": prompts,
            "completion_ids": [[100 * p + i] for (p,) in prompts for i in range(n)],
            "logprobs": [[[-float(p)]] for (p,) in prompts for _ in range(n)],
        }


def make_generation(accelerator):
    """As TRL makes it, but for a server to talk to."""
    generation = object.__new__(VLLMGeneration)
    settings = dict.fromkeys(["top_k", "min_p", "structured_outputs_regex"]) | {
        "generation_kwargs": {},
        "temperature": 1.0,
        "top_p": 1.0,
        "repetition_penalty": 1.0,
        "max_completion_length": 6,
        "logprobs": 0,
    }
    vars(generation).update(
        settings, accelerator=accelerator, mode="server", vllm_client=ScriptedClient()
    )
    return generation


def generate_turn(generation, prompts, images, fields, num_generations):
    """The vLLM branch of TRL's `_generate_single_turn`."""
    _, ids, logprobs, _ = generation.generate(prompts, images, num_generations)
    return ids, [[each[0] for each in row] for row in logprobs]


def check_phases(trainer, generation, seed):
    # 6 prompts of 4 rollouts, 12 rows a process: the rollouts of a prompt on both.
    rank, draws = trainer.accelerator.process_index, random.Random(seed)
    kinds = [draws.choice(["meta", "solution", "skipped"]) for _ in range(6)]
    order = [prompt for prompt in range(6) for _ in range(N)]
    rows = list(range(24))[12 * rank : 12 * rank + 12]
    prompts = [[order[row]] for row in rows]
    turn = partial(generate_turn, generation)
    generator = PhasedGenerator(trainer, turn, prompts, {}, N)
    phases = []
    for kind in ("meta", "solution"):
        chosen = [place for place, row in enumerate(rows) if kinds[order[row]] == kind]
        phases.append((chosen, generator.run(chosen)))
    made = join_phases(12, phases, filler=7)
    left = [kinds[order[row]] != "skipped" for row in rows]
    expected = [
        [100 * order[row] + row % N] if is_left else [7]
        for row, is_left in zip(rows, left, strict=True)
    ]
    assert made.token_ids == expected, (rank, kinds, made)
    if made.logprobs is not None:
        assert made.logprobs == [
            [-float(order[row])] if is_left else [0.0]
            for row, is_left in zip(rows, left, strict=True)
        ]
    return kinds


def main():
    accelerator = Accelerator(cpu=True)
    assert accelerator.num_processes == 2
    trainer = SimpleNamespace(accelerator=accelerator, use_vllm=True, vllm_mode="server")
    generation = make_generation(accelerator)
    asked = 0
    for seed in range(20):
        kinds = check_phases(trainer, generation, seed)
        asked += len({kind for kind in kinds if kind != "skipped"})
    client = generation.vllm_client
    assert len(client.asked) == (asked if accelerator.is_main_process else 0)
    print("served", flush=True)


if __name__ == "__main__":
    main()
