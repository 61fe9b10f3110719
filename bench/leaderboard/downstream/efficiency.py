"""Data efficiency: the area under a curve of scores over log n, and how many samples a symmetry is worth."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

__all__ = ["Multiplier", "area", "sample_multiplier"]

LEVELS = 39
DRAWS = 200
BOUNDS = {">": math.inf, "<": 0.0}
Curve = Mapping[float, Mapping[int, float]]
"""n -> seed -> score."""
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Multiplier:
    """How many times the samples the baseline needs for the same score.

    Arguments:
        value: the multiplier; where the curves share no score, the bound n_max / n_min or its inverse.
        low, high: 95 % interval from resampling seeds, infinite or 0 where curves of a resampling share no score; None
            where it is unknown.
        censored: ">" or "<" where `value` is a bound; "" where it is not.
    """

    value: float
    low: float | None = None
    high: float | None = None
    censored: str = ""


def area(curve: Mapping[float, float]) -> float:
    """The mean of the score over log n, by the trapezoidal rule: n -> score; of a single n, that score."""
    if len(curve) == 1:
        return next(iter(curve.values()))
    n = np.log(sorted(curve))
    scores = [curve[size] for size in sorted(curve)]
    return float(np.trapezoid(scores, n) / (n[-1] - n[0]))


def sample_multiplier(baseline: Curve, model: Curve) -> Multiplier | None:
    """exp(mean of log n_baseline - log n_model over 39 equally spaced scores that both curves reach).

    Curves are isotonic fits of the means over seeds in log n. None for fewer than two numbers of samples in common, and
    for curves that are flat at one score.
    """
    sizes = sorted(baseline.keys() & model.keys())
    if len(sizes) < 2:
        return None
    seeds = [set(curve[n]) for curve in (baseline, model) for n in sizes]
    common = sorted(set.intersection(*seeds))
    if not common:
        return None
    tables = [np.array([[curve[n][seed] for seed in common] for n in sizes]) for curve in (baseline, model)]
    log_n = np.log(sizes)
    value = _multiplier(log_n, *(table.mean(1) for table in tables))
    if value is None:
        return None
    if isinstance(value, str):
        bound = sizes[-1] / sizes[0]
        return Multiplier(bound if value == ">" else 1 / bound, censored=value)
    if len(common) < 2:
        return Multiplier(value)
    draw = np.random.default_rng(0)
    drawn = [draw.integers(len(common), size=len(common)) for _ in range(DRAWS)]
    found = [_multiplier(log_n, *(table[:, seeds].mean(1) for table in tables)) for seeds in drawn]
    numbers = [BOUNDS[one] if isinstance(one, str) else one for one in found if one is not None]
    low, high = np.quantile(numbers, [0.025, 0.975], method="inverted_cdf")
    return Multiplier(value, float(low), float(high))


def _multiplier(log_n: Array, baseline: Array, model: Array) -> float | str | None:
    """The multiplier; ">" where all of the model's scores are above the baseline's, "<" where all are below.

    None where both curves are flat at one score, which any number of samples reaches.
    """
    fits = [isotonic_regression(scores).x for scores in (baseline, model)]
    if fits[1][0] > fits[0][-1]:
        return ">"
    if fits[1][-1] < fits[0][0]:
        return "<"
    low, high = max(fit[0] for fit in fits), min(fit[-1] for fit in fits)
    if all(fit[0] == fit[-1] for fit in fits):
        return None
    levels = np.linspace(low, high, LEVELS)
    needed = [_inverse(log_n, fit, levels) for fit in fits]
    return float(np.exp(np.mean(needed[0] - needed[1])))


def _inverse(log_n: Array, fit: Array, levels: Array) -> Array:
    """log n at which an ascending curve reaches each level; the middle of a stretch that lies on it."""
    last = np.interp(levels, fit, log_n)
    first = np.interp(-levels, -fit[::-1], log_n[::-1])
    middle: Array = (first + last) / 2
    return middle
