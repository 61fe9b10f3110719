"""Data efficiency: the area under a curve of scores over log n, and how many samples a symmetry is worth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import isotonic_regression

__all__ = ["Multiplier", "area", "sample_multiplier"]

LEVELS = 39
DRAWS = 200
Curve = Mapping[float, Mapping[int, float]]
"""n -> seed -> score."""
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Multiplier:
    """How many times the samples the baseline needs for the same score.

    Arguments:
        value: the multiplier; where the curves share no score, the bound n_max / n_min or its inverse.
        low, high: 95 % interval from resampling seeds; None where it is unknown.
        censored: ">" or "<" where `value` is a bound; "" where it is not.
    """

    value: float
    low: float | None = None
    high: float | None = None
    censored: str = ""


def area(curve: Mapping[float, float]) -> float | None:
    """The mean of the score over log n, by the trapezoidal rule: n -> score; None for a single n."""
    if len(curve) < 2:
        return None
    n = np.log(sorted(curve))
    scores = [curve[size] for size in sorted(curve)]
    return float(np.trapezoid(scores, n) / (n[-1] - n[0]))


def sample_multiplier(baseline: Curve, model: Curve) -> Multiplier | None:
    """exp(mean of log n_baseline - log n_model over 39 equally spaced scores that both curves reach).

    Curves are isotonic fits of the means over seeds in log n. None for fewer than two numbers of samples in common.
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
    if isinstance(value, str):
        bound = sizes[-1] / sizes[0]
        return Multiplier(bound if value == ">" else 1 / bound, censored=value)
    if len(common) < 2:
        return Multiplier(value)
    draw = np.random.default_rng(0)
    drawn = [draw.integers(len(common), size=len(common)) for _ in range(DRAWS)]
    found = [_multiplier(log_n, *(table[:, seeds].mean(1) for table in tables)) for seeds in drawn]
    bounds = {">": math.inf, "<": 0.0}
    low, high = np.quantile([bounds[one] if isinstance(one, str) else one for one in found], [0.025, 0.975])
    return Multiplier(value, float(low), float(high))


def _multiplier(log_n: Array, baseline: Array, model: Array) -> float | str:
    """The multiplier; ">" where the model's least score is above all of the baseline's, "<" where all are below."""
    fits = [isotonic_regression(scores).x for scores in (baseline, model)]
    low, high = max(fit[0] for fit in fits), min(fit[-1] for fit in fits)
    if low >= high:
        return ">" if fits[1][0] >= fits[0][-1] else "<"
    levels = np.linspace(low, high, LEVELS)
    needed = [_inverse(log_n, fit, levels) for fit in fits]
    return float(np.exp(np.mean(needed[0] - needed[1])))


def _inverse(log_n: Array, fit: Array, levels: Sequence[float] | Array) -> Array:
    """log n at which an ascending curve reaches each level; the middle of a stretch that lies on it."""
    first = np.interp(levels, *_ascending(fit, log_n, first=True))
    last = np.interp(levels, *_ascending(fit, log_n, first=False))
    middle: Array = (first + last) / 2
    return middle


def _ascending(fit: Array, log_n: Array, first: bool) -> tuple[Array, Array]:
    """The curve with one point, the first or the last, of each flat stretch."""
    step = np.diff(fit) > 0
    kept = np.r_[True, step] if first else np.r_[step, True]
    return fit[kept], log_n[kept]
