"""The labelled pairs that the harness makes of a track's truth."""

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from bench.contracts import Linear, MatrixSymmetry, Samples
from bench.jobs.work.discover import _pairs

TURN = torch.tensor([[0.0, -1], [1, 0]])
SWAP = torch.tensor([[0.0, 1], [1, 0]])
X = torch.randn(50, 2, generator=torch.Generator().manual_seed(0))


def track(truth: torch.Tensor, in_data: bool) -> Any:
    """A track whose view, where it has one, triples the data."""
    return SimpleNamespace(
        data_truth=MatrixSymmetry.of(Linear((2,)), truth), in_data=in_data, seed=lambda part: 1,
        data=lambda split: Samples(X), view=SimpleNamespace(encode=lambda x: x if in_data else 3 * x),
    )  # fmt: skip


@pytest.mark.parametrize("in_data", [True, False])
def test_pairs_are_moved_in_data_space_and_encoded(in_data: bool) -> None:
    z = X if in_data else 3 * X
    pairs = _pairs(track(TURN[None], in_data), Samples(z), 0.4, math.pi / 2)
    torch.testing.assert_close(pairs.x, z[:20])
    torch.testing.assert_close(pairs.moved, z[:20] @ TURN.T, atol=1e-5, rtol=0)
    torch.testing.assert_close(pairs.coefficient, torch.full((20, 1), math.pi / 2))


def test_a_fixed_coefficient_is_along_one_generator() -> None:
    t = _pairs(track(torch.stack([TURN, SWAP]), True), Samples(X), 1.0, 0.3).coefficient
    assert sorted({tuple(round(v, 4) for v in row) for row in t.tolist()}) == [(0.0, 0.3), (0.3, 0.0)]


def test_free_coefficients_fill_the_circle() -> None:
    t = _pairs(track(torch.stack([TURN, SWAP]), True), Samples(X), 1.0).coefficient
    assert t.shape == (50, 2)
    assert t.abs().max() <= math.pi
    assert t.min() < -2 < 2 < t.max()


def test_a_truth_without_generators_moves_nothing() -> None:
    pairs = _pairs(track(torch.zeros(0, 2, 2), True), Samples(X), 1.0, 0.3)
    assert pairs.coefficient.shape == (50, 0)
    torch.testing.assert_close(pairs.moved, X)
