"""Random elements of groups: compact parts as the Haar measure has them, boosts up to the rapidity."""

import math

import pytest
import torch

from bench.lie import group_elements


def so(n):
    pairs = torch.combinations(torch.arange(n))
    A = torch.zeros(len(pairs), n, n, dtype=torch.float64)
    for k, (i, j) in enumerate(pairs):
        A[k, i, j], A[k, j, i] = -1, 1
    return A


def lorentz():
    A = torch.zeros(6, 4, 4, dtype=torch.float64)
    A[:3, 1:, 1:] = so(3)
    for k in range(3):
        A[3 + k, 0, k + 1] = A[3 + k, k + 1, 0] = 1
    return A


def elements(A, count, rapidity=1.0, seed=0):
    g = torch.eye(A.shape[-1], dtype=torch.float64).expand(count, -1, -1)
    for t in group_elements(A, count, rapidity, torch.Generator().manual_seed(seed)):
        g = g @ torch.linalg.matrix_exp(torch.einsum("bk,kij->bij", t, A))
    return g


def test_angles_of_one_rotation_are_uniform():
    g = elements(so(2), 4000)
    angle = torch.atan2(g[:, 1, 0], g[:, 0, 0]) / (2 * math.pi) + 0.5
    off = (angle.sort().values - torch.arange(4000) / 4000).abs().max()
    assert off < 1.95 / math.sqrt(4000)  # Kolmogorov and Smirnov, 0.1 %


def test_characters_of_so3_are_orthogonal():
    """E chi_1 = (1/3)^4 and E chi_1^2 = 1 + (1/3)^4 + (1/5)^4, as chi_1^2 = chi_0 + chi_1 + chi_2."""
    chi = elements(so(3), 20_000).diagonal(dim1=1, dim2=2).sum(1)
    assert chi.mean().item() == pytest.approx(3 * (1 / 3) ** 4, abs=0.03)
    assert chi.square().mean().item() == pytest.approx(1 + 3 * (1 / 3) ** 4 + 5 * (1 / 5) ** 4, abs=0.04)


def test_the_generators_basis_and_length_do_not_matter_to_the_elements():
    A = so(3)
    mixed = torch.einsum("jk,kab->jab", torch.tensor([[2.0, 1, 0], [0, 3, 1], [1, 0, 5]]).double(), A)
    one, other = (elements(B, 5000, seed=3).diagonal(dim1=1, dim2=2).sum(1) for B in (A, mixed))
    assert abs(one.mean() - other.mean()) < 0.1
    assert abs(one.square().mean() - other.square().mean()) < 0.1


def test_lorentz_elements_keep_the_metric_and_boosts_stay_within_the_rapidity():
    g, J = elements(lorentz(), 500, rapidity=0.7), torch.diag(torch.tensor([1.0, -1, -1, -1]).double())
    assert torch.allclose(g.mT @ J @ g, J.expand_as(g), atol=1e-9)
    assert g[:, 0, 0].max() <= math.cosh(0.7) + 1e-9
    assert g[:, 0, 0].max() > math.cosh(0.6)


def test_a_scaling_alone_has_no_compact_part():
    steps = group_elements(torch.eye(3)[None], 50, 1.0, torch.Generator().manual_seed(0))
    assert steps.shape == (1, 50, 1)
    assert steps.abs().max() <= 1


def test_no_generators_no_flows():
    assert group_elements(torch.zeros(0, 3, 3), 5, 1.0, torch.Generator()).shape == (0, 5, 0)
