"""A run whose vLLM engine is killed while the policy's weights are being sent to it.

Started as ``python -m tests.stack.dying_engine FOLDER``, as ``supervise`` starts a run.
"""

import os
import signal

import ray
from masa_openrlhf.run import launch

from tests.stack.other_actors import run_with_actors


def make_dying_rollout():
    """The rollout actor, but for an engine that dies at the third weight of the first update."""
    from masa_openrlhf.stack.rollout import EpisodeActor

    class Dying(EpisodeActor):
        weights = 0

        async def update_weight(self, *args, **kwargs):
            self.weights += 1
            if self.weights == 3:
                os.kill(os.getpid(), signal.SIGKILL)
            return await super().update_weight(*args, **kwargs)

    return ray.remote(Dying)


def substitute_rollout(config, folder):
    import openrlhf.trainer.ray.vllm_engine as engine

    engine.RolloutRayActor = launch._ActorWithArguments(make_dying_rollout(), masa=config)


if __name__ == "__main__":
    run_with_actors(substitute_rollout)
