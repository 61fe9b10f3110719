"""Brackets and closure, against closed forms."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.lie import bracket, closure_residual, jacobi_residual, structure_constants


def so3() -> torch.Tensor:
    L = torch.zeros(3, 3, 3, dtype=torch.float64)
    for k in range(3):
        i, j = (k + 1) % 3, (k + 2) % 3
        L[k, i, j], L[k, j, i] = -1, 1
    return L


def elementary(n: int, *where: tuple[int, int]) -> torch.Tensor:
    L = torch.zeros(len(where), n, n, dtype=torch.float64)
    for k, (i, j) in enumerate(where):
        L[k, i, j] = 1
    return L


def test_the_brackets_of_rotations_are_rotations() -> None:
    L = so3()
    assert torch.equal(bracket(L[0], L[1]), L[2])
    c, outside = structure_constants(L)
    assert outside.abs().max() < 1e-14
    assert torch.allclose(c.abs().sort().values[..., -1].sum(), torch.tensor(6 / 2**0.5, dtype=torch.float64))


def test_an_algebra_is_closed_and_satisfies_jacobi() -> None:
    heisenberg = elementary(3, (0, 1), (1, 2), (0, 2))
    for algebra in (so3(), heisenberg, elementary(2, (0, 0)), torch.zeros(0, 2, 2)):
        assert closure_residual(algebra) < 1e-12
        assert jacobi_residual(algebra) < 1e-12


def test_two_rotations_do_not_close() -> None:
    assert closure_residual(so3()[:2]) == pytest.approx(1)


def test_projected_constants_may_fail_jacobi() -> None:
    L = torch.randn(4, 4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert closure_residual(L) > 0.3
    assert jacobi_residual(L) > 0.1


@given(st.integers(0, 1000))
@settings(deadline=None, max_examples=20)
def test_residuals_do_not_depend_on_the_basis(seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    L = torch.randn(3, 3, 3, generator=draw, dtype=torch.float64)
    turn = torch.linalg.qr(torch.randn(3, 3, generator=draw, dtype=torch.float64)).Q + torch.eye(3)
    if torch.linalg.cond(turn) < 20:
        mixed = torch.einsum("jk,kab->jab", turn, L)
        assert closure_residual(mixed) == pytest.approx(closure_residual(L), abs=1e-6)
        assert jacobi_residual(mixed) == pytest.approx(jacobi_residual(L), abs=1e-6)
