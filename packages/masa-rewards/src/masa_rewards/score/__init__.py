"""How aware is a model of its own rollouts? Scores a file of predictions, without any training.

`masa-rewards score FILE.jsonl` prints what `score_lines` returns. Each line holds one
problem, its rollouts and the predictions of them:

>>> import json
>>> from masa_rewards.score import score_lines
>>> line = {
...     "problem": "Find the sum of the roots of x^2 - 5x + 6.",
...     "rollouts": [
...         {"text": "By Vieta's formula it is 5.", "length": 280, "correct": True},
...         {"text": "I guess 6.", "length": 40, "correct": False},
...     ],
...     "predictions": [
...         '{"math_notion": ["Vieta formulas"], "pass_rate": 4, "solution_length": 300}',
...         {"pass_rate": 1.0, "length": 280},
...     ],
... }
>>> report = score_lines([json.dumps(line)])
>>> report.predictions, report.rewards.notion.mean, report.length.above
(2, 0.5, 1)
"""

from masa_rewards.score.line_reader import LineError
from masa_rewards.score.report import Report
from masa_rewards.score.run import score_lines
from masa_rewards.score.scorer import Scorer
from masa_rewards.score.settings import ScoreSettings

__all__ = ["LineError", "Report", "ScoreSettings", "Scorer", "score_lines"]
