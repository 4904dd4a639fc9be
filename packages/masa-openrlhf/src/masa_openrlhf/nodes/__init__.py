"""A run on several nodes: the Ray cluster that RAY_ADDRESS names is joined, looked at and watched.

- ``join``: joins it, and looks at it before vLLM and DeepSpeed start;
- ``variables``: which of this process's variables go to all nodes, and which never do;
- ``shared_paths``: whether every node sees the run's folder, and has what it needs;
- ``watch``: ends the run when a node that it runs on is gone.
"""
