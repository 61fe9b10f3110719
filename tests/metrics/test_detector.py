"""The detector: its AUC, its null distribution, and what it must see."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from bench.metrics._detector import Detector, auc
from bench.metrics.distribution_preservation import _p_value
from bench.metrics.joint import Joint


@given(st.integers(0, 1000), st.integers(2, 60), st.booleans())
@settings(deadline=None, max_examples=50)
def test_the_auc_is_that_of_sklearn(seed: int, n: int, tied: bool) -> None:
    draw = np.random.default_rng(seed)
    score = draw.integers(0, 5, (n, 3)).astype(float) if tied else draw.normal(size=(n, 3))
    positive = draw.random((n, 3)) < 0.5
    positive[0], positive[1] = True, False
    expected = [roc_auc_score(positive[:, k], score[:, k]) for k in range(3)]
    assert np.allclose(auc(torch.tensor(score), torch.tensor(positive)).numpy(), expected)


@pytest.fixture(scope="module")
def detector(case: SimpleNamespace) -> Detector:
    return Detector(case.gaussian(1024, 8, 0))


def test_p_values_are_uniform_without_a_difference(case: SimpleNamespace, detector: Detector) -> None:
    """Simulation: 60 comparisons of 3 splits of equal samples."""
    p = []
    for k in range(60):
        splits = [detector.aucs(*case.gaussian(300, 8, 1000 * j + k).chunk(2), 8, j) for j in (1, 2, 3)]
        p.append(_p_value(torch.stack(splits), 3))
    assert 0.35 < np.mean(p) < 0.65
    assert np.mean(np.array(p) < 0.1) < 0.25
    assert min(p) > 1e-4


def seen(case: SimpleNamespace, detector: Detector, move) -> float:
    found = [
        detector.aucs(move(case.gaussian(1000, 8, 10 + k)), case.gaussian(1000, 8, 50 + k), 8, k) for k in range(5)
    ]
    return _p_value(torch.stack(found), 5)


def test_a_shift_a_spread_a_tail_and_a_lost_correlation_are_seen(case: SimpleNamespace, detector: Detector) -> None:
    first = torch.eye(8)[0]
    mix = torch.eye(8)
    mix[0, :2] = torch.tensor([0.9, 0.436])
    assert seen(case, detector, lambda x: x + 0.3 * first) < 1e-3
    assert seen(case, detector, lambda x: 1.1 * x) < 1e-3
    assert seen(case, detector, lambda x: torch.where(x[:, :1] > 1.5, x + 3 * first, x)) < 1e-3
    assert seen(case, detector, lambda x: x @ mix.T) < 1e-3


def test_a_tenth_far_away_is_seen_and_a_fiftieth_is_not(case: SimpleNamespace, detector: Detector) -> None:
    """An AUC is at most (1 + share) / 2 if only a share of the samples moves: 2 % are left to the participation."""
    assert seen(case, detector, lambda x: torch.where(x[:, :1] > 1.28, x + 4, x)) < 1e-3
    assert seen(case, detector, lambda x: torch.where(x[:, :1] > 2.05, x + 4, x)) > 1e-3


@pytest.mark.parametrize(
    ("oracle", "distribution", "joint"),
    [(0.8, 0.9, 0.8), (0.8, 0.3, 0.3), (0.8, None, None), (None, 0.9, None), (-0.2, None, 0.0), (0.0, 0.9, 0.0)],
)
def test_joint_is_the_lesser_of_both(oracle: float | None, distribution: float | None, joint: float | None) -> None:
    scores = {"oracle_preservation": oracle, "distribution_preservation": distribution}
    assert Joint().score(scores=scores) == {"joint": joint}
