"""A run whose weights never reach vLLM: the check of weights must find it.

Started as ``python -m tests.stack.without_broadcast FOLDER``, as ``supervise`` starts a run.
"""

import ray
from masa_openrlhf.run import launch

from tests.stack.other_actors import run_with_actors


def make_silent_trainer():
    """The trainer, but for one that keeps its weights to itself."""
    from masa_openrlhf.stack.trainer import Trainer

    class Silent(Trainer):
        def broadcast_to_vllm(self):
            return None

    return ray.remote(Silent)


def substitute_trainer(config, folder):
    import openrlhf.trainer.ppo_trainer as stock

    stock.PPOTrainer = launch._ActorWithArguments(make_silent_trainer(), masa=config, folder=folder)


if __name__ == "__main__":
    run_with_actors(substitute_trainer)
