"""Which one is real: images with and without a symmetry, known beforehand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from bench.data.symmetry_check import CANDIDATES, Verdict, area, symmetry_check, which_is_real

SIDE = 18


def spots(count: int, along: float, across: float, tilt: float = 0.0, seed: int = 0) -> torch.Tensor:
    """Twelve spots each, Gaussian about the centre with deviations `along` rows and `across` them, turned by `tilt`."""
    draw = np.random.default_rng(seed)
    a, b = along * draw.normal(size=(count, 12)), across * draw.normal(size=(count, 12))
    c, s = math.cos(tilt), math.sin(tilt)
    at = np.stack([c * b + s * a, c * a - s * b], -1)
    edges = np.linspace(-1, 1, SIDE + 1)
    images = [np.histogram2d(*one.T, bins=(edges, edges))[0] for one in at]
    return torch.from_numpy(np.stack(images)[:, None]).float()


def broken(verdict: Verdict) -> bool:
    """Whether the sample is shown not to have the symmetry, at three standard errors."""
    return verdict.auc - 0.5 > 3 * verdict.error


def test_a_round_sample_has_all_three():
    found = symmetry_check(spots(300, 0.3, 0.3), effort=0.05)
    assert set(found) == set(CANDIDATES)
    assert not any(broken(verdict) for verdict in found.values())


def test_an_upright_ellipse_has_the_reflections_alone():
    found = symmetry_check(spots(300, 0.35, 0.2), effort=0.05)
    assert not broken(found["reflection of the columns"])
    assert not broken(found["reflection of the rows"])
    assert broken(found["a quarter turn"])
    assert found["a quarter turn"].auc > 0.8


def test_a_tilted_ellipse_has_none():
    found = symmetry_check(spots(300, 0.35, 0.15, math.pi / 4), effort=0.05)
    assert all(broken(verdict) and verdict.auc > 0.8 for verdict in found.values())


def test_a_shift_to_one_side_breaks_one_reflection():
    x = spots(300, 0.3, 0.3)
    found = symmetry_check(torch.roll(x, 2, 3), effort=0.05)
    assert broken(found["reflection of the columns"])
    assert not broken(found["reflection of the rows"])


def test_quarter_turns_are_of_square_images():
    found = symmetry_check(torch.rand(60, 1, 9, 12), effort=0.01)
    assert set(found) == {"reflection of the columns", "reflection of the rows"}


def test_the_error_covers_one_half_where_the_symmetry_holds():
    sigmas = []
    reflection = CANDIDATES["reflection of the columns"]
    for seed in range(10):
        verdict = which_is_real(spots(100, 0.3, 0.3, seed=seed), reflection, seed, effort=0.02)
        sigmas.append((verdict.auc - 0.5) / verdict.error)
    assert abs(np.mean(sigmas)) < 4 / math.sqrt(10)
    assert 0.5 < np.std(sigmas) < 1.6


def test_the_area_is_that_of_scikit_learn_and_its_error_that_of_resampling():
    draw = np.random.default_rng(0)
    real = draw.normal(0.5, 1, 300).round(1)
    copy = (0.5 * real + draw.normal(0, 1, 300)).round(1)
    auc, influence = area(torch.from_numpy(real), torch.from_numpy(copy))
    labels = np.repeat([1, 0], 300)
    assert auc == pytest.approx(roc_auc_score(labels, np.concatenate([real, copy])))
    assert influence.mean().item() == pytest.approx(0, abs=1e-12)
    resampled = []
    for _ in range(400):
        chosen = draw.integers(300, size=300)
        resampled.append(roc_auc_score(labels, np.concatenate([real[chosen], copy[chosen]])))
    assert influence.std().item() / math.sqrt(300) == pytest.approx(np.std(resampled), rel=0.15)


def test_one_seed_is_one_verdict():
    x = spots(60, 0.3, 0.2)
    first, second, other = (which_is_real(x, CANDIDATES["a quarter turn"], seed, 0.02) for seed in (0, 0, 1))
    assert first == second
    assert first != other
