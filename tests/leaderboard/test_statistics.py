"""Intervals: coverage by simulation, agreement with scipy, laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bench.leaderboard.statistics import clopper_pearson, mean_interval, paired_interval, resampled_interval

finite = st.floats(-1, 1, allow_nan=False)
REPEATS, SAMPLES = 1500, 150


def experiment(rng, seeds, shared, spread):
    """Means and standard errors of `seeds` runs on SAMPLES test samples: mu + a_s + b_i + e_si, mu = 0.

    spread: variances of the mean due to seed, sample and residual, in units of a sample's.
    """
    seed, sample, residual = (np.sqrt(v) for v in spread)
    b = rng.normal(size=(1 if shared else seeds, SAMPLES)) * sample * np.sqrt(SAMPLES)
    e = rng.normal(size=(seeds, SAMPLES)) * residual * np.sqrt(SAMPLES)
    scores = seed * rng.normal(size=(seeds, 1)) + b + e
    return scores.mean(1), scores.std(1, ddof=1) / np.sqrt(SAMPLES)


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("shared", [True, False], ids=["shared", "redrawn"])
@pytest.mark.parametrize("spread", [(0, 1, 0), (1, 1, 0), (8, 1, 0), (1, 0.5, 0.5)], ids=str)
def test_interval_covers_whether_test_samples_are_shared_or_redrawn(seeds, shared, spread):
    rng = np.random.default_rng(7)
    covered = 0
    for _ in range(REPEATS):
        interval = mean_interval(*experiment(rng, seeds, shared, spread))
        covered += interval.low <= 0 <= interval.high
    assert covered / REPEATS >= 0.937  # 0.95 less 2.3 standard errors of the simulation
    if shared and spread[2] == 0:
        assert covered / REPEATS <= 0.99  # and it is not merely wide


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_paired_interval_covers_where_methods_share_their_samples(seeds):
    rng = np.random.default_rng(8)
    covered = 0
    for _ in range(REPEATS):
        b = rng.normal(size=SAMPLES)  # what both methods find hard
        runs = [b + rng.normal(size=SAMPLES) + rng.normal(size=(seeds, 1)) * 0.3 for _ in range(2)]
        means = [r.mean(1) for r in runs]
        errors = [r.std(1, ddof=1) / np.sqrt(SAMPLES) for r in runs]
        interval = paired_interval(*means, *errors)
        covered += interval.low <= 0 <= interval.high
    assert covered / REPEATS >= 0.937


@given(st.lists(finite, min_size=2, max_size=12))
def test_without_sample_errors_it_is_the_t_interval(values):
    interval = mean_interval(values)
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    assert interval.half == pytest.approx(half, abs=1e-12)
    assert interval.mean == pytest.approx(np.mean(values), abs=1e-12)


@given(st.lists(finite, min_size=2, max_size=8), st.floats(0, 1), st.floats(-3, 3))
def test_errors_widen_and_shifts_move(values, error, shift):
    plain, widened = mean_interval(values), mean_interval(values, [error] * len(values))
    assert widened.half >= plain.half
    assert mean_interval([v + shift for v in values]).half == pytest.approx(plain.half, abs=1e-9)


@given(st.lists(st.tuples(finite, finite), min_size=2, max_size=8))
def test_paired_difference_is_antisymmetric_and_of_one_method_is_zero(pairs):
    a, b = zip(*pairs, strict=True)
    none = [None] * len(pairs)
    one, other = paired_interval(a, b, none, none), paired_interval(b, a, none, none)
    assert one.low == pytest.approx(-other.high, abs=1e-12)
    same = paired_interval(a, a, none, none)
    assert (same.low, same.mean, same.high) == (0, 0, 0)


def test_one_seed_has_no_interval():
    assert mean_interval([0.5], [0.01]).half is None
    with pytest.raises(ValueError, match="no values"):
        mean_interval([])


@given(st.integers(0, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_failure_rate_is_that_of_scipy(case):
    failures, runs = case
    if runs == 0:
        assert clopper_pearson(0, 0) == (0, 1)
        return
    theirs = stats.binomtest(failures, runs).proportion_ci(method="exact")
    assert clopper_pearson(failures, runs) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_resampling_datasets_is_reproducible_and_holds_the_mean():
    interval = resampled_interval([1, 2, 2, 5])
    assert interval == resampled_interval([1, 2, 2, 5])
    assert interval.low < interval.mean == 2.5 < interval.high
    assert resampled_interval([2, 2, 2]).half == 0
