"""Python imports this first where PYTHONPATH names its folder: requests to vLLM are written down.

The product has no hook for it. When a process of a run imports ``masa_openrlhf.stack.rollout``, the
engine that episodes see is wrapped; each request adds a line to the file that
``MASA_TEST_REQUESTS`` names.
"""

import importlib.abc
import importlib.util
import json
import os
import sys
import time

_MODULE = "masa_openrlhf.stack.rollout"


def _record_requests(module):
    generate = module._Engine.generate

    async def recorded(self, token_ids, *, max_tokens, n, kind):
        began = time.time()
        made = await generate(self, token_ids, max_tokens=max_tokens, n=n, kind=kind)
        phase = self._actor.phase
        row = {
            "phase": phase.name,
            "step": phase.step,
            "problem": self._problem.id,
            "kind": kind,
            "began": began,
            "ended": time.time(),
        }
        with open(os.environ["MASA_TEST_REQUESTS"], "a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        return made

    module._Engine.generate = recorded


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, fullname, path, target=None):
        if fullname != _MODULE:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        execute = spec.loader.exec_module

        def execute_and_wrap(module):
            execute(module)
            _record_requests(module)

        spec.loader.exec_module = execute_and_wrap
        return spec


if "MASA_TEST_REQUESTS" in os.environ:
    sys.meta_path.insert(0, _Finder())
