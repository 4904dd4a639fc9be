"""What an episode needs of the outside: an engine and a verifier."""

from __future__ import annotations

import math
from collections.abc import Sequence

from masa_rewards import Verdict

from masa_control.contracts.breach import require_that
from masa_control.episode.protocols import Completion, Engine, Verifier

_TOKENS = 8


async def check_engine(
    engine: Engine, *, prompt: str = "What is 2 + 2?", max_tokens: int = _TOKENS, n: int = 3
) -> None:
    """Hold an engine to `Engine`.

    A prompt is encoded alike each time. Of both kinds ``n`` completions come, none longer than
    ``max_tokens``, marked as truncated only at that length, with as many log-probabilities as
    tokens where there are any. No completions at all may be asked for.

    Args:
        engine: yours.
        prompt: any text that it can take.
        max_tokens: a limit, small enough that most completions reach it.
        n: completions asked for.

    Raises:
        ContractError: it does something else.
    """
    ids = engine.encode(prompt)
    require_that(
        len(ids) > 0 and all(isinstance(token, int) for token in ids),
        f"encode must return the prompt's token ids, got {ids!r:.80}",
    )
    require_that(
        list(ids) == list(engine.encode(prompt)), "encode must return the same ids each time"
    )
    for kind in ("meta", "solution", "solution"):
        made = await engine.generate(ids, max_tokens=max_tokens, n=n, kind=kind)
        require_that(
            len(made) == n, f"generate(n={n}, kind={kind!r}) returned {len(made)} completions"
        )
        for completion in made:
            _check_completion(completion, max_tokens)


def _check_completion(completion: Completion, max_tokens: int) -> None:
    length = len(completion.token_ids)
    require_that(
        1 <= length <= max_tokens,
        f"a completion has {length} tokens, 1 to max_tokens={max_tokens} are allowed",
    )
    require_that(
        isinstance(completion.text, str), f"a completion's text is {type(completion.text).__name__}"
    )
    require_that(
        not completion.truncated or length == max_tokens,
        f"a completion is marked as truncated at {length} of {max_tokens} tokens",
    )
    if completion.logprobs is None:
        return
    require_that(
        len(completion.logprobs) == length,
        f"a completion has {length} tokens and {len(completion.logprobs)} log-probabilities",
    )
    require_that(
        all(math.isfinite(value) and value <= 1e-6 for value in completion.logprobs),
        "a log-probability must be finite and at most 0",
    )


async def check_verifier(
    verifier: Verifier, *, gold: str, right: Sequence[str], wrong: Sequence[str]
) -> None:
    """Hold a verifier to `Verifier`.

    Right answers are correct, wrong ones are judged and not correct, and no text makes it raise: a
    judge that fails says so in the status, so that nothing is counted as a wrong answer.

    Args:
        verifier: yours.
        gold: a gold answer.
        right: responses that state it.
        wrong: responses that state another.

    Raises:
        ContractError: it does something else.
    """
    for text in right:
        verdict = await _judge_answer(verifier, text, gold)
        require_that(
            verdict.correct, f"{text!r:.80} states {gold!r} and is judged {verdict.status!r}"
        )
    for text in wrong:
        verdict = await _judge_answer(verifier, text, gold)
        require_that(
            not verdict.correct and not verdict.failed,
            f"{text!r:.80} does not state {gold!r} and is judged {verdict.status!r}",
        )
    for text in ("", "\\boxed{", "\x00", "{" * 5000):
        verdict = await _judge_answer(verifier, text, gold)
        require_that(not verdict.correct, f"{text!r:.20} is judged correct")


async def _judge_answer(verifier: Verifier, text: str, gold: str) -> Verdict:
    try:
        verdict = await verifier.averify(text, gold)
    except Exception as error:
        require_that(False, f"averify raised {error!r} for {text!r:.40}: say 'error' in the status")
        raise
    require_that(isinstance(verdict, Verdict), f"averify returned {type(verdict).__name__}")
    return verdict
