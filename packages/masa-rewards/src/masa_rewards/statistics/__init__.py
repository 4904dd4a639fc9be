"""The statistics of the workspace: intervals, correlations, a rising fit. Plain Python.

The only implementations in the workspace: every number with an interval comes from here. Intervals
are two-sided at 95 % unless stated otherwise. What is not defined is None, never a placeholder
number.

>>> from masa_rewards.statistics import mean_interval, pearson_correlation, wilson_interval
>>> [round(end, 3) for end in wilson_interval(0.9, 10)]
[0.9, 0.596, 0.982]
>>> mean_interval([0.25])
Interval(value=0.25, low=None, high=None)
>>> pearson_correlation([(0.0, 1.0), (0.5, 0.0), (1.0, -1.0)])
-1.0
"""

from masa_rewards.statistics.correlation import StreamedCorrelation, pearson_correlation
from masa_rewards.statistics.intervals import (
    UNKNOWN,
    Z95,
    Bounds,
    Interval,
    difference_interval,
    mean_interval,
    rate_interval,
    student_t_quantile,
    wilson_bounds,
    wilson_interval,
)
from masa_rewards.statistics.isotonic import fit_isotonic
from masa_rewards.statistics.means import ClusteredMean, mean_known

__all__ = [
    "UNKNOWN",
    "Z95",
    "Bounds",
    "ClusteredMean",
    "Interval",
    "StreamedCorrelation",
    "difference_interval",
    "fit_isotonic",
    "mean_interval",
    "mean_known",
    "pearson_correlation",
    "rate_interval",
    "student_t_quantile",
    "wilson_bounds",
    "wilson_interval",
]
