"""A run whose weights never reach vLLM: the check of weights must find it.

Started as ``python -m tests.stack.without_broadcast FOLDER``, as ``supervise`` starts a run.
"""

import ray
from masa_openrlhf.run import launch


class Actors(launch.Actors):
    """The actors of a run, but for a trainer that keeps its weights to itself."""

    def trainer(self):
        from masa_openrlhf.stack.trainer import Trainer

        class Silent(Trainer):
            def broadcast_to_vllm(self):
                return None

        return ray.remote(Silent)


if __name__ == "__main__":
    launch.main(actors=Actors())
