"""Spans and their angles, against scipy."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import subspace_angles

from bench.lie import deviation, grassmann, orthonormaliser, principal_angles

seeds = st.integers(0, 10_000)


def vectors(seed: int, K: int, P: int = 9) -> torch.Tensor:
    return torch.randn(K, P, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def orthonormal(v: torch.Tensor) -> torch.Tensor:
    return orthonormaliser(v) @ v


@given(seeds, st.integers(1, 5), st.integers(1, 5))
@settings(deadline=None, max_examples=40)
def test_the_angles_are_those_of_scipy(seed: int, K: int, J: int) -> None:
    V, U = vectors(seed, K), vectors(seed + 1, J)
    expected = np.sort(subspace_angles(V.T.numpy(), U.T.numpy()))
    assert np.allclose(principal_angles(orthonormal(V), orthonormal(U)).numpy(), expected, atol=1e-7)


@pytest.mark.parametrize("angle", [0.0, 1e-9, 1e-5, 0.3, math.pi / 2])
def test_small_angles_are_not_lost(angle: float) -> None:
    V = torch.tensor([[1.0, 0, 0]], dtype=torch.float64)
    U = torch.tensor([[math.cos(angle), math.sin(angle), 0]], dtype=torch.float64)
    assert principal_angles(V, U).item() == pytest.approx(angle, abs=1e-14)


@given(seeds, st.floats(1e-6, 1e6))
@settings(deadline=None, max_examples=20)
def test_a_span_has_no_basis_and_no_scale(seed: int, scale: float) -> None:
    V = vectors(seed, 3)
    mixed = vectors(seed + 1, 3, 3) @ V * scale
    if torch.linalg.cond(vectors(seed + 1, 3, 3)) < 20:
        assert principal_angles(orthonormal(V), orthonormal(mixed)).max() < 1e-6


def test_dependent_and_vanishing_vectors_are_dropped() -> None:
    V = vectors(0, 2)
    assert len(orthonormaliser(torch.cat([V, V.sum(0, keepdim=True), 0 * V[:1]]))) == 2
    assert len(orthonormaliser(torch.zeros(3, 5))) == 0
    assert len(orthonormaliser(torch.zeros(0, 5))) == 0


def test_a_scale_does_not_decide_what_is_dropped() -> None:
    V = vectors(0, 2)
    V[1] *= 1e-7
    assert len(orthonormaliser(V)) == 2


def test_a_missing_direction_counts_as_a_right_angle() -> None:
    assert grassmann(torch.zeros(1), 3, 1) == pytest.approx(math.sqrt(2) * math.pi / 2)


@given(st.floats(0.01, 1.5))
def test_the_deviation_of_lines_is_the_sine_of_their_angle(angle: float) -> None:
    line, turned = torch.tensor([[3.0, 0.0]]), torch.tensor([[math.cos(angle), math.sin(angle)]])
    assert deviation(line, torch.stack([turned, line])) == pytest.approx(math.sin(angle) / math.sqrt(2), abs=1e-6)
