"""Area under a curve over log n, and what a symmetry is worth in samples."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.leaderboard.downstream.efficiency import area, sample_multiplier

SIZES = [30, 100, 300, 1000, 3000]


def curve(score, seeds=3, noise=0.0):
    draw = np.random.default_rng(1)
    return {n: {seed: score(n) + noise * draw.standard_normal() for seed in range(seeds)} for n in SIZES}


def rising(n):
    return 0.1 * math.log(n)


def test_the_area_of_a_constant_is_the_constant_and_of_a_line_its_middle():
    assert area(dict.fromkeys(SIZES, 0.7)) == pytest.approx(0.7)
    middle = (rising(30) + rising(3000)) / 2
    assert area({n: rising(n) for n in SIZES}) == pytest.approx(middle)
    assert area({30: 0.5}) is None


@given(st.floats(0.2, 5))
def test_a_curve_that_needs_c_times_fewer_samples_has_the_multiplier_c(c):
    found = sample_multiplier(curve(rising), curve(lambda n: rising(c * n)))
    assert found.value == pytest.approx(c, rel=1e-6)
    assert found.low == pytest.approx(c, rel=1e-6)
    assert not found.censored


def test_the_same_curve_has_the_multiplier_1_although_it_saturates():
    flat = curve(lambda n: min(rising(n), rising(300)))
    assert sample_multiplier(flat, flat).value == pytest.approx(1)


def test_noise_around_the_same_curve_keeps_1_in_the_interval():
    found = sample_multiplier(curve(rising, 5, 0.02), curve(rising, 5, -0.02))
    assert found.low <= 1 <= found.high


def test_the_multiplier_of_the_inverse_question_is_the_inverse():
    a, b = curve(rising), curve(lambda n: rising(n) + 0.05 * math.sin(n))
    assert sample_multiplier(a, b).value == pytest.approx(1 / sample_multiplier(b, a).value)


def test_curves_without_a_common_score_give_a_bound():
    found = sample_multiplier(curve(rising), curve(lambda n: rising(n) + 10))
    assert (found.censored, found.value) == (">", 100)
    found = sample_multiplier(curve(lambda n: rising(n) + 10), curve(rising))
    assert (found.censored, found.value) == ("<", 0.01)


def test_what_cannot_be_compared_is_none():
    assert sample_multiplier({30: {0: 0.1}}, {30: {0: 0.2}}) is None
    assert sample_multiplier({30: {0: 0.1}, 90: {0: 0.2}}, {30: {1: 0.1}, 90: {1: 0.2}}) is None
