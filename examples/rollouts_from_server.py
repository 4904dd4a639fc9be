"""Make a file for `python -m masa_rewards score` with any OpenAI-compatible server.

    python examples/rollouts_from_server.py problems.jsonl rollouts.jsonl \
        --base-url http://localhost:8000/v1 --model Qwen/Qwen3-1.7B
    python -m masa_rewards score rollouts.jsonl --html rollouts.html

A line of problems.jsonl is {"problem": ..., "answer": ...}. Each is solved `--solutions` times, and
its pass rate is predicted `--predictions` times (0: none, "will a gate pay?" needs groups alone).
What is there already is not asked again, so the command can be given once more after a break. Needs
masa-rewards and nothing else; the key is read from the variable OPENAI_API_KEY, if there is one.
"""

import argparse
import json
import os
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from masa_rewards import SOLUTION_TEMPLATE, MetaPrompt


def ask_server(options, text):
    """Ask once; return the whole answer, thinking included, and its length in tokens."""
    request = {
        "model": options.model,
        "messages": [{"role": "user", "content": text}],
        "max_tokens": options.max_tokens,
        "temperature": options.temperature,
    }
    headers = {"content-type": "application/json"}
    if key := os.environ.get("OPENAI_API_KEY"):
        headers["authorization"] = f"Bearer {key}"
    call = urllib.request.Request(
        f"{options.base_url.rstrip('/')}/chat/completions",
        data=json.dumps(request).encode(),
        headers=headers,
    )
    with urllib.request.urlopen(call, timeout=options.timeout) as answered:
        answer = json.load(answered)
    message = answer["choices"][0]["message"]
    parts = [message.get("reasoning_content"), message.get("content")]
    return "\n".join(part for part in parts if part), answer["usage"]["completion_tokens"]


def ask_problem(options, pool, prompt, problem):
    """Make the line of a problem; its questions are under way at once."""
    solution = SOLUTION_TEMPLATE.replace("{problem}", problem["problem"])
    solutions = [pool.submit(ask_server, options, solution) for _ in range(options.solutions)]
    meta = prompt.render(problem["problem"])
    predictions = [pool.submit(ask_server, options, meta) for _ in range(options.predictions)]

    def finish():
        rollouts = [each.result() for each in solutions]
        return {
            "problem": problem["problem"],
            "answer": problem["answer"],
            "rollouts": [{"text": text, "length": tokens} for text, tokens in rollouts],
            "predictions": [each.result()[0] for each in predictions],
        }

    return finish


def read_lines(path):
    """Read a file of JSON lines; none where there is no file."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def main():
    """Ask for what is not there yet, and write a line a problem."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("problems", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--base-url", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--solutions", type=int, default=8)
    parser.add_argument("--predictions", type=int, default=8)
    parser.add_argument("--max-tokens", type=int, default=8192)
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--at-once", type=int, default=32, help="questions under way (32)")
    parser.add_argument("--timeout", type=float, default=3600, help="seconds an answer (3600)")
    options = parser.parse_args()
    if not options.problems.is_file():
        sys.exit(f"there is no file {options.problems}")
    prompt = MetaPrompt(max_length=options.max_tokens, scale=8)
    done = {line["problem"] for line in read_lines(options.out)}
    wanted = [line for line in read_lines(options.problems) if line["problem"] not in done]
    with ThreadPoolExecutor(options.at_once) as pool, options.out.open("a") as out:
        waiting = [ask_problem(options, pool, prompt, problem) for problem in wanted]
        for number, finish in enumerate(waiting, start=1):
            try:
                out.write(json.dumps(finish()) + "\n")
            except (urllib.error.URLError, TimeoutError) as error:
                pool.shutdown(cancel_futures=True)
                sys.exit(f"{options.base_url} did not answer: {error}")
            out.flush()
            print(f"\r{number} of {len(wanted)} problems", end="", file=sys.stderr)
    print(file=sys.stderr)


if __name__ == "__main__":
    main()
