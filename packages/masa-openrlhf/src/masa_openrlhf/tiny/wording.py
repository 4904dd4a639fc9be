"""What the tiny policy is asked, and within which limits. Importing this costs nothing.

The wording is short because every token of it is read on a CPU, and because to a model of a quarter
of a million parameters a longer one says nothing more.
"""

from __future__ import annotations

from typing import Final

SOLUTION_TEMPLATE: Final = "{problem}\nSolve."
"""The solution prompt: one user message."""

META_TEMPLATE: Final = "{problem}\nPredict."
"""The meta prompt: one user message."""

PASS_RATE_SCALE: Final = 8
"""A prediction states its pass rate as an integer from 0 to this."""

MIN_LENGTH: Final = 4
"""The shortest solution length, in tokens, that a prediction may state."""

MAX_LENGTH: Final = 96
"""The longest solution length, in tokens, that a prediction may state."""

MAX_PROMPT_TOKENS: Final = 64
MAX_SOLUTION_TOKENS: Final = 96
MAX_META_TOKENS: Final = 32

STEPS: Final = 48
PROBLEMS_A_STEP: Final = 16
SOLUTIONS_A_PROBLEM: Final = 8
PREDICTIONS_A_PROBLEM: Final = 8
LEARNING_RATE: Final = 7e-4
"""What MASA-efficient was tuned to on this model: AdamW with betas 0.9 and 0.95, a cosine from
this rate down to a tenth of it, gradients clipped to 1, two optimiser steps a rollout step,
temperature 1.

The rate is high because the warm-up leaves weights of about 0.15, several times the usual. At 1e-3
predictions are learned sooner, and the policy unlearns to copy digits; at 5e-4 both are slower.
"""
