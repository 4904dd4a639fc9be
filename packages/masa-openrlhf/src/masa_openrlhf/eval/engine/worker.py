"""One copy of the model: vLLM in this process, asked over pipes.

A line in, a ``GenerateRequest``; when all n answers to it are there, a line out, a
``GenerateReply``. Answers to one question wait for no other question. What vLLM prints goes to
stderr.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from typing import IO, Any

from masa_openrlhf import cpu
from masa_openrlhf.config.tree import TrainConfig
from masa_openrlhf.data.prompts import PromptEncoder
from masa_openrlhf.eval.engine.messages import (
    EngineReady,
    GeneratedAnswer,
    GenerateReply,
    GenerateRequest,
    Message,
    StartMessage,
    encode_message,
)
from masa_openrlhf.run import loopback
from masa_openrlhf.run.processes import die_with_parent

loopback.bind_stores()  # here, since the processes that vLLM spawns import this module too


def main() -> None:
    """Start vLLM by the line that comes first, then answer until the pipe closes."""
    die_with_parent()
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    start = StartMessage.model_validate(json.loads(sys.stdin.readline()))
    os.environ.update(start.environment)
    worker = _EngineWorker(start, out)
    requests: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read_requests, args=(requests,), daemon=True).start()
    worker.run(requests)


def _read_requests(requests: queue.Queue[str]) -> None:
    for line in sys.stdin:
        requests.put(line)
    requests.put("")


class _EngineWorker:
    """vLLM's engine, and the requests that are under way in it."""

    def __init__(self, start: StartMessage, out: IO[str]) -> None:
        if cpu.is_active():
            cpu.widen_products()
            cpu.install_sampler()
        from vllm.engine.arg_utils import EngineArgs
        from vllm.v1.engine.llm_engine import LLMEngine

        self._out = out
        self._engine = LLMEngine.from_engine_args(EngineArgs(**start.arguments))
        tokenizer, asked_as = self._engine.get_tokenizer(), start.asked_as
        if start.chat_if_any:
            model = {**asked_as["model"], "chat_template": bool(tokenizer.chat_template)}
            asked_as = {**asked_as, "model": model}
        self._prompts = PromptEncoder(tokenizer, TrainConfig.model_validate(asked_as))
        self._room = self._engine.vllm_config.model_config.max_model_len
        self._lengths: dict[str, int] = {}
        self._say(EngineReady(max_model_len=self._room))

    def run(self, requests: queue.Queue[str]) -> None:
        """Add what comes, and step while there is anything to do."""
        while True:
            busy = self._engine.has_unfinished_requests()
            try:
                line = requests.get(block=not busy)
            except queue.Empty:
                line = None
            if line == "":
                return
            if line is not None:
                self._add(GenerateRequest.model_validate(json.loads(line)))
            elif busy:
                for output in self._engine.step():
                    if output.finished:
                        self._answer(output)

    def _add(self, request: GenerateRequest) -> None:
        from vllm.sampling_params import RequestOutputKind, SamplingParams

        ids = self._prompts.encode(request.prompt)
        room = self._room - len(ids)
        if room < 1:
            self._say(GenerateReply(id=request.id, prompt_tokens=len(ids), room=self._room))
            return
        self._lengths[request.id] = len(ids)
        params = SamplingParams(
            n=request.n,
            temperature=request.temperature,
            top_p=request.top_p,
            max_tokens=min(request.max_tokens, room),
            seed=request.seed,
            output_kind=RequestOutputKind.FINAL_ONLY,
            skip_special_tokens=True,
            stop_token_ids=self._prompts.ends_of_turn,
        )
        self._engine.add_request(request.id, {"prompt_token_ids": ids}, params)

    def _answer(self, output: Any) -> None:
        answers = tuple(
            GeneratedAnswer(
                text=one.text,
                tokens=len(one.token_ids),
                truncated=one.finish_reason == "length",
            )
            for one in sorted(output.outputs, key=lambda one: one.index)
        )
        length = self._lengths.pop(output.request_id)
        self._say(GenerateReply(id=output.request_id, prompt_tokens=length, answers=answers))

    def _say(self, message: Message) -> None:
        self._out.write(encode_message(message))
        self._out.flush()


if __name__ == "__main__":
    main()
