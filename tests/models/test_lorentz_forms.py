"""The forms that generators keep."""

import pytest
import torch
from bench.models.lorentz import invariant_forms
from torch import Tensor

from bench.errors import BenchError

from .groups import orthogonal, special_linear

IDENTITY = torch.eye(4).double()


def metric(times: int, n: int = 4) -> Tensor:
    """The metric of so(times, n - times), its first entry positive."""
    signs = torch.ones(n).double()
    signs[times if times else n :] = -1
    return torch.diag(signs)


def noise(seed: int, K: int = 6) -> Tensor:
    return torch.randn(K, 4, 4, generator=torch.Generator().manual_seed(seed)).double()


def symplectic() -> Tensor:
    """sp(4): J A is symmetric."""
    J = torch.zeros(4, 4).double()
    J[:2, 2:], J[2:, :2] = torch.eye(2), -torch.eye(2)
    S = torch.stack([a.outer(b) + b.outer(a) for i, a in enumerate(IDENTITY) for b in IDENTITY[i:]])
    return torch.linalg.inv(J) @ S


@pytest.mark.parametrize(("n", "times"), [(4, 0), (4, 1), (4, 2), (3, 1), (5, 2)])
def test_an_orthogonal_algebra_tells_its_metric(n: int, times: int) -> None:
    forms = invariant_forms(orthogonal(n, times))
    assert torch.allclose(forms.metric(), metric(times, n), atol=1e-12)
    assert forms.residual < 1e-12
    assert not forms.dilated


@pytest.mark.parametrize("times", [0, 1, 2])
def test_a_scaling_keeps_the_metric_up_to_a_factor(times: int) -> None:
    A = torch.cat([orthogonal(4, times) + 0.3 * IDENTITY, IDENTITY[None]])
    forms = invariant_forms(A)
    assert torch.allclose(forms.metric(), metric(times), atol=1e-12)
    assert forms.dilated


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("size", [1e-5, 1e-3, 3e-2])
def test_noise_moves_the_metric_by_its_own_size(size: float, seed: int) -> None:
    forms = invariant_forms(orthogonal(4, 1) + size * noise(seed))
    assert (forms.metric() - metric(1)).abs().max() < 3 * size
    assert size / 3 < forms.residual < 6 * size


@pytest.mark.parametrize("A", [orthogonal(4, 1), orthogonal(4, 1)[:1], orthogonal(4, 1) + 1e-3 * noise(0)])
def test_another_basis_of_the_algebra_leaves_the_forms(A: Tensor) -> None:
    mixing = torch.randn(len(A), len(A), generator=torch.Generator().manual_seed(1)).double()
    one, other = invariant_forms(A), invariant_forms(torch.einsum("ij,jab->iab", mixing, A))
    assert torch.allclose(one.J, other.J, atol=1e-9)
    assert one.residual == pytest.approx(other.residual, abs=1e-9)


def test_another_basis_of_the_space_turns_the_metric() -> None:
    S = IDENTITY + 0.2 * noise(3, 1)[0]
    inverse = torch.linalg.inv(S)
    J = invariant_forms(S @ orthogonal(4, 1) @ inverse).metric()
    expected = inverse.T @ metric(1) @ inverse
    assert torch.allclose(J, expected / torch.linalg.matrix_norm(expected, 2), atol=1e-9)


def test_one_rotation_keeps_four_forms() -> None:
    """E^2, 2 E pz, px^2 + py^2 and pz^2."""
    turn = torch.zeros(1, 4, 4).double()
    turn[0, 1, 2], turn[0, 2, 1] = -0.7, 0.7
    forms = invariant_forms(turn)
    expected = torch.zeros(4, 4, 4).double()
    expected[0, 0, 0] = expected[1, 0, 3] = expected[1, 3, 0] = 1
    expected[2, 1, 1] = expected[2, 2, 2] = expected[3, 3, 3] = 1
    assert torch.allclose(forms.J, expected, atol=1e-12)
    with pytest.raises(BenchError, match="4 symmetric forms are kept"):
        forms.metric()


@pytest.mark.parametrize("A", [symplectic(), special_linear(), noise(0), noise(0, 16)])
def test_where_no_form_is_kept_the_nearest_is_given_and_said_to_be_none(A: Tensor) -> None:
    forms = invariant_forms(A)
    assert forms.J.shape == (1, *A.shape[1:])
    assert torch.linalg.matrix_norm(forms.J[0], 2) == pytest.approx(1.0)
    with pytest.raises(BenchError, match="no symmetric form is kept"):
        forms.metric()


def test_a_scaling_alone_keeps_every_form() -> None:
    forms = invariant_forms(IDENTITY[None])
    assert len(forms.J) == 10
    assert forms.dilated


@pytest.mark.parametrize("A", [torch.zeros(0, 4, 4), torch.full((1, 4, 4), torch.nan)])
def test_no_generators_and_those_that_are_not_finite_are_refused(A: Tensor) -> None:
    with pytest.raises(BenchError, match="all of them finite"):
        invariant_forms(A)
