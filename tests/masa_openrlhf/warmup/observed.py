"""Problems with answers as a model would have given them."""

from masa_control import Problem
from masa_openrlhf.eval.engine.messages import GeneratedAnswer
from masa_openrlhf.warmup.observations import ObservedProblem
from masa_rewards import Verdict

NOUNS = ("apples", "bottles", "carpets", "dollars", "engines", "flowers", "guitars", "hammers")


def observe(number, right, text="We add the numbers.", *, of=4, tokens=None, truncated=False):
    """A problem of which ``right`` of its answers are right; the others are wrong."""
    problem = Problem(id=f"p{number}", text=f"Count {number} {NOUNS[number % 8]}.", answer="1")
    answers = tuple(
        GeneratedAnswer(text=text, tokens=tokens or 10 * number + i + 1, truncated=truncated)
        for i in range(of)
    )
    verdicts = tuple(
        Verdict(status="correct" if i < right else "incorrect", answer="1") for i in range(of)
    )
    return ObservedProblem(problem, answers, verdicts)
