"""Where code that a model wrote runs: cut off from the machine, and from what judges it.

Two things hold together. **The walls**: ``warden`` starts a program in namespaces of its own (no
network, no processes and no files but its own), under limits, and ends all of it at once.
**Nothing to steal**: a program is never told what is expected of it. It is called over a pipe, and
sends back plain values (``wire``); the tests run in another sandbox (``tester``), so there is no
assertion, frame or memory of theirs that it could reach.

- outside: ``process`` starts a sandbox and talks to it, by ``launch``; ``probe`` tries every limit.
- between: ``warden``, ``namespaces``, ``seccomp``, ``rlimits``: the standard library alone.
- inside: ``candidate`` runs the program, ``tester`` the tests; ``wire`` is how values travel,
  ``self_pipe`` what asyncio does without sockets.

docs/concepts/sandbox.md says which limit is held by what.
"""
