"""Intervals: of a mean over seeds, of a paired difference, of a failure rate, of a rank over datasets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv, ndtri, stdtrit

__all__ = ["Interval", "clopper_pearson", "mean_interval", "paired_interval", "resampled_interval"]

LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A mean over n values and its 95 % interval; low and high are None where n = 1 leaves them unknown."""

    mean: float
    low: float | None
    high: float | None
    n: int

    @property
    def half(self) -> float | None:
        """Half of the interval's width."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2


def mean_interval(values: Sequence[float], errors: Sequence[float | None] = ()) -> Interval:
    """The mean over S seeds with a 95 % interval that counts the seeds and the test samples.

        mean +- sqrt(t^2 V_seed + z^2 V_sample),   V_seed = s^2 / S,   V_sample = mean of se^2

    with t the quantile of S - 1 degrees of freedom and z the normal one: half-widths add in squares (Zou and Donner,
    Statistics in Medicine 27, 2008). One quantile for V_seed + V_sample, with Satterthwaite's degrees of freedom,
    covers down to 92 % at 3 seeds.

    With the score of sample i in run s written mu + a_s + b_i + e_si, a shared test set adds var(b) / n to s^2 / S.
    A record knows only se^2 = (var(b) + var(e)) / n, an upper bound of it: the interval covers at least 95 % whether
    the samples are shared (then tight if var(e) is small) or drawn anew for each seed (then wide).

    Arguments:
        values: one score a seed, (S,).
        errors: their standard errors over the run's test samples, (S,), None where unknown; () if none is.

    Raises ValueError where there is no value.
    """
    count = len(values)
    if count == 0:
        raise ValueError("no values to average")
    mean = math.fsum(values) / count
    if count == 1:
        return Interval(mean, None, None, 1)
    v_seed = math.fsum((value - mean) ** 2 for value in values) / (count - 1) / count
    squares = [error**2 for error in errors if error is not None]
    v_sample = math.fsum(squares) / len(squares) if squares else 0.0
    t, z = stdtrit(count - 1, (1 + LEVEL) / 2), ndtri((1 + LEVEL) / 2)
    half = math.sqrt(t**2 * v_seed + z**2 * v_sample)
    return Interval(mean, mean - half, mean + half, count)


def paired_interval(
    a: Sequence[float],
    b: Sequence[float],
    errors_a: Sequence[float | None] = (),
    errors_b: Sequence[float | None] = (),
) -> Interval:
    """The mean of a - b over the same seeds, (S,) each, with its interval as in `mean_interval`.

    The methods met the same samples: the variance of the difference over samples is at most se_a^2 + se_b^2 where
    their scores are not negatively correlated.
    """
    differences = [x - y for x, y in zip(a, b, strict=True)]
    pairs = zip(errors_a, errors_b, strict=True)
    return mean_interval(differences, [None if x is None or y is None else math.hypot(x, y) for x, y in pairs])


def clopper_pearson(failures: int, runs: int) -> tuple[float, float]:
    """The exact 95 % interval of a failure rate (Clopper and Pearson, Biometrika 26, 1934); (0, 1) for no runs."""
    tail = (1 - LEVEL) / 2
    low = float(betaincinv(failures, runs - failures + 1, tail)) if failures else 0.0
    high = float(betaincinv(failures + 1, runs - failures, 1 - tail)) if failures < runs else 1.0
    return low, high


def resampled_interval(values: Sequence[float], draws: int = 4000) -> Interval:
    """The mean over datasets, interval by resampling the datasets with a fixed seed; values (number of datasets,)."""
    data = np.asarray(values, dtype=float)
    picks = np.random.default_rng(0).integers(len(data), size=(draws, len(data)))
    low, high = np.quantile(data[picks].mean(1), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(data.mean()), float(low), float(high), len(data))
