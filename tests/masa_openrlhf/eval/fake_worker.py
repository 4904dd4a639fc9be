"""Stands for vLLM behind ``Replicas``: the same lines, without a model."""

import json
import os
import sys
import time

start = json.loads(sys.stdin.readline())
how = start["arguments"].get("how", "")
if how == "dies at once":
    print("Traceback (most recent call last):\nValueError: no such model", file=sys.stderr)
    sys.exit(3)
if how == "never ready":
    time.sleep(100)
print(json.dumps({"ready": True, "max_model_len": 99}), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    if how == "dies when asked":
        print("out of memory", file=sys.stderr)
        os._exit(9)
    text = f"{request['prompt']} by {os.environ['WHO']}"
    answers = [{"text": text, "tokens": 3, "truncated": False}] * request["n"]
    print(json.dumps({"id": request["id"], "prompt_tokens": 2, "answers": answers}), flush=True)
if how == "does not go":
    time.sleep(1000)
