"""A run with other actors than its own, put where OpenRLHF's script looks them up."""

from collections.abc import Callable
from typing import Any

from masa_openrlhf.run import launch


def run_with_actors(substitute: Callable[[Any, Any], None]) -> None:
    """Be the process of a run, with ``substitute`` called after the run's own actors are placed.

    Args:
        substitute: is given the configuration and the run's folder.
    """
    own = launch._place_actors

    def both(folder: Any, config: Any, *rest: Any) -> None:
        own(folder, config, *rest)
        substitute(config, folder)

    launch._place_actors = both
    launch.main()
