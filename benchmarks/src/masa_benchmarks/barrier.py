"""What a barrier between predictions and solutions would cost, on the real vLLM.

    uv run --no-sync python -m masa_benchmarks.barrier

Episodes of the tiny model are played on one vLLM engine, as a run plays them: each goes on as soon
as its own predictions are in. Beside it, in turns, the same with a barrier: no solution starts
before all predictions of the step are in. Same prompts, same seeds, so both make the same tokens.

"tiny": as the preset has it. "spread": lengths are drawn, so that they spread as those of a large
model do: the ratio of the paper's means (2,293 tokens of a prediction to 6,251 of a solution), a
hundredth of their size, log-normal with a sigma of 0.6.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from masa_openrlhf import cpu
from masa_openrlhf.cache import find_cache_home

MEAN_LENGTHS = {"meta": 22.93, "solution": 62.51}
SIGMA = 0.6


@dataclass
class PredictionBarrier:
    """Opens once all have arrived."""

    expected: int
    arrived: int = 0
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    def arrive(self) -> None:
        self.arrived += 1
        if self.arrived == self.expected:
            self.opened.set()


@dataclass
class BarrierEngine:
    """An engine whose solutions wait until all predictions of the step are in."""

    engine: object
    barrier: PredictionBarrier | None

    def encode(self, prompt: str) -> list[int]:
        return self.engine.encode(prompt)

    async def generate(self, token_ids, *, max_tokens, n, kind):
        if self.barrier is None:
            return await self.engine.generate(token_ids, max_tokens=max_tokens, n=n, kind=kind)
        if kind == "solution":
            await self.barrier.opened.wait()
        made = await self.engine.generate(token_ids, max_tokens=max_tokens, n=n, kind=kind)
        if kind == "meta":
            self.barrier.arrive()
        return made


@dataclass
class DrawnLengthEngine:
    """An engine whose responses have lengths drawn by problem, kind and sample."""

    actor: object
    engine: object
    problem: str

    def encode(self, prompt: str) -> list[int]:
        return self.engine.encode(prompt)

    async def generate(self, token_ids, *, max_tokens, n, kind):
        rng = random.Random(f"{self.problem}/{kind}")
        mu = -SIGMA * SIGMA / 2
        lengths = [
            max(1, round(MEAN_LENGTHS[kind] * rng.lognormvariate(mu, SIGMA))) for _ in range(n)
        ]
        return await asyncio.gather(*(self._one(token_ids, length) for length in lengths))

    async def _one(self, token_ids, length):
        from masa_control import Completion
        from vllm.sampling_params import RequestOutputKind, SamplingParams

        params = SamplingParams(
            max_tokens=length,
            ignore_eos=True,
            seed=length,
            output_kind=RequestOutputKind.FINAL_ONLY,
        )
        output = await self.actor.generate(list(token_ids), params)
        (one,) = output.outputs
        return Completion(tuple(one.token_ids), one.text, truncated=True)


class AlwaysWrong:
    """A verifier that takes no time: what is measured is the engine."""

    async def averify(self, answer_text, gold):
        from masa_rewards import Verdict

        return Verdict(status="incorrect", answer=None)


async def main(rounds: int, problems: int) -> None:
    from masa_control import LengthCutoff, Planner, Stopwatch
    from masa_openrlhf import tiny
    from masa_openrlhf.config.layers import apply_flags, build_config, read_preset
    from masa_openrlhf.data.problems import load_problems
    from masa_openrlhf.data.prompts import PromptEncoder
    from masa_openrlhf.stack.rollout import EpisodeActor, Phase, _Engine
    from transformers import AutoTokenizer
    from vllm import AsyncEngineArgs, AsyncLLMEngine
    from vllm.sampling_params import SamplingParams

    config = apply_flags(build_config(read_preset("tiny")), ["--mode", "masa-efficient"])
    assets = tiny.prepare_assets(
        find_cache_home() / "tiny",
        seed=0,
        problems=config.tiny.problems,
        held_out=config.tiny.held_out,
    )
    chosen = load_problems(str(assets.train_file), config.data).problems[:problems]
    actor = object.__new__(EpisodeActor)
    actor.masa, actor._mm_pad_token_ids = config, None
    actor.phase = Phase("train", 1)
    actor.llm = AsyncLLMEngine.from_engine_args(
        AsyncEngineArgs(
            model=str(assets.model_dir),
            dtype="bfloat16",
            enforce_eager=True,
            max_model_len=config.context_tokens + 256,
            enable_prefix_caching=True,
            **cpu.build_engine_arguments(),
        )
    )
    prompts = PromptEncoder(AutoTokenizer.from_pretrained(assets.model_dir), config)
    # No gate: a plan after the predictions, and every problem solved.
    planner = Planner(step=1, seed=0, cutoff=LengthCutoff(margin=None))

    async def step(kind: str, *, barrier: bool) -> tuple[int, float]:
        from masa_control import run_episode

        held = PredictionBarrier(len(chosen)) if barrier else None
        began = time.monotonic()
        episodes = await asyncio.gather(
            *(
                run_episode(
                    problem,
                    engine=BarrierEngine(engine(kind, problem), held),
                    verifier=AlwaysWrong(),
                    settings=config.episode_settings(),
                    planner=planner,
                )
                for problem in chosen
            )
        )
        spent = time.monotonic() - began
        made = sum(len(r.completion.token_ids) for e in episodes for r in (*e.meta, *e.solutions))
        return made, spent

    def engine(kind: str, problem):
        params = SamplingParams(temperature=1.0, logprobs=1)
        plain = _Engine(actor, params, prompts, problem, Stopwatch())
        return plain if kind == "tiny" else DrawnLengthEngine(actor, plain, problem.id)

    print(
        f"{problems} problems, {config.meta.rollouts} predictions and "
        f"{config.solution.rollouts} solutions each, {rounds} rounds in turns"
    )
    for kind in ("tiny", "spread"):
        await step(kind, barrier=False)  # warms up
        print_rates(
            kind,
            [
                (await step(kind, barrier=False), await step(kind, barrier=True))
                for _ in range(rounds)
            ],
        )


def print_rates(kind: str, rounds: Sequence) -> None:
    for name, side in (("without a barrier", 0), ("with a barrier", 1)):
        rates = [r[side][0] / r[side][1] for r in rounds]
        print(
            f"{kind}: {name}: {statistics.median(rates):,.0f} tokens a second "
            f"({min(rates):,.0f} to {max(rates):,.0f}), {rounds[0][side][0]:,} tokens a step"
        )
    ratios = [(a[0] / a[1]) / (b[0] / b[1]) for a, b in rounds]
    print(
        f"{kind}: without is {statistics.median(ratios):.3f} times as fast "
        f"({min(ratios):.3f} to {max(ratios):.3f})",
        flush=True,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--problems", type=int, default=16)
    options = parser.parse_args()
    os.environ.update(cpu.environment(Path(tempfile.gettempdir()) / "masa-barrier"))
    cpu.activate()
    asyncio.run(main(options.rounds, options.problems))
