"""An engine and graders that do as they are told."""

from collections import deque

from masa_openrlhf.eval.benchmarks.entry import Benchmark, BenchmarkSource
from masa_openrlhf.eval.engine.messages import GeneratedAnswer, GenerateReply
from masa_openrlhf.eval.question import Question
from masa_openrlhf.eval.questions import BenchmarkQuestions
from masa_rewards import Verdict


class ScriptedEngine:
    """Answers a request with what ``say`` returns for it; the last asked is answered first."""

    def __init__(self, say, stop_after=None):
        self._say, self._stop_after = say, stop_after
        self._waiting = deque()
        self.asked = []
        self.most = 0

    @property
    def in_flight(self):
        return len(self._waiting)

    def ask(self, request):
        self.asked.append(request)
        self._waiting.append(request)
        self.most = max(self.most, len(self._waiting))

    def answers(self, timeout):
        if self._stop_after is not None:
            if self._stop_after == 0:
                raise KeyboardInterrupt
            self._stop_after -= 1
        request = self._waiting.pop()
        said = self._say(request)
        if isinstance(said, int):
            return [GenerateReply(id=request.id, prompt_tokens=said, room=10)]
        answers = tuple(
            GeneratedAnswer(text=text, tokens=len(text), truncated=text.endswith("…"))
            for text in said
        )
        return [GenerateReply(id=request.id, prompt_tokens=5, answers=answers)]


class GoldGrader:
    """Right is who says the gold; counts what it is asked."""

    def __init__(self):
        self.asked = 0

    def grade(self, question, text):
        self.asked += 1
        if text == "?":
            return Verdict(status="unparsable", answer=None)
        if text == "!":
            return Verdict(status="timeout", answer=None, detail="too slow")
        return Verdict(status="correct" if text == question.gold else "incorrect", answer=text)


def make_questions(count, name="made"):
    entry = Benchmark(
        name=name,
        title=name.upper(),
        family="maths",
        source=BenchmarkSource(files=()),
        columns=(),
        read=lambda row, number: None,
        prompt="",
        grader="maths",
        questions=count,
        licence="",
        protocol="",
    )
    questions = tuple(
        Question(f"q{i}", f"statement {i}", f"prompt {i}", str(i)) for i in range(count)
    )
    return BenchmarkQuestions(entry, questions, "made here")
