"""Join the Ray cluster that RAY_ADDRESS names, and look at it before the stack starts."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from masa_openrlhf.gpu.cluster import require_capacity, wait_until_free
from masa_openrlhf.nodes.members import list_run_nodes
from masa_openrlhf.nodes.ray_cluster import refuse_open_cluster
from masa_openrlhf.nodes.shared_paths import require_shared_paths
from masa_openrlhf.nodes.variables import collect_variables

if TYPE_CHECKING:
    from masa_openrlhf.config.tree import TrainConfig
    from masa_openrlhf.run.folder import RunFolder


def join_cluster(config: TrainConfig, folder: RunFolder, variables: Mapping[str, str]) -> None:
    """Join the cluster, with all that its workers' environment is to hold.

    Args:
        config: the run's configuration.
        folder: the run's folder; gets an event with the nodes and the names of the variables.
        variables: the run's own, for every worker; they win.

    Raises:
        NodeError: a node lacks the run's folder, the model or a package.
        OpenClusterError: the cluster takes orders from anybody.
        ResourceError: it has too few GPUs.
        VariableError: a secret is among the variables to send.
    """
    import ray

    cluster = config.cluster
    sent = collect_variables(
        os.environ, more=cluster.send_variables, kept=cluster.keep_variables
    ) | dict(variables)
    ray.init(runtime_env={"env_vars": sent})
    if not cluster.open_ray:
        refuse_open_cluster(ray.get_runtime_context().gcs_address)
    total = require_capacity(config)
    nodes = list_run_nodes()
    require_shared_paths(folder.path, config.model.path, nodes)
    folder.event("nodes", nodes=[str(node) for node in nodes], variables=sorted(sent))
    wait_until_free(config, folder, ray.available_resources, total)
