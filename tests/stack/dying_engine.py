"""A run whose vLLM engine is killed while the policy's weights are being sent to it.

Started as ``python -m tests.stack.dying_engine FOLDER``, as ``supervise`` starts a run.
"""

import os
import signal

import ray
from masa_openrlhf.run import launch


class Actors(launch.Actors):
    """The actors of a run, but for an engine that dies at the third weight of the first update."""

    def rollout(self):
        from masa_openrlhf.stack.rollout import EpisodeActor

        class Dying(EpisodeActor):
            weights = 0

            async def update_weight(self, *args, **kwargs):
                self.weights += 1
                if self.weights == 3:
                    os.kill(os.getpid(), signal.SIGKILL)
                return await super().update_weight(*args, **kwargs)

        return ray.remote(Dying)


if __name__ == "__main__":
    launch.main(actors=Actors())
