"""Names of algebras that are known, in any basis and any coordinates, and with noise."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from bench.lie import derived_series, killing_form, simple_ideals, structure_constants
from bench.lie.identify import name


def orthogonal(p: int, q: int = 0) -> Tensor:
    """so(p, q): A with A' eta + eta A = 0."""
    n = p + q
    eta = torch.diag(torch.tensor([1.0] * p + [-1.0] * q, dtype=torch.float64))
    rows, columns = torch.triu_indices(n, n, 1)
    A = torch.zeros(len(rows), n, n, dtype=torch.float64)
    A[torch.arange(len(rows)), rows, columns] = 1
    return eta @ (A - A.mT)


def general(n: int) -> Tensor:
    return torch.eye(n * n, dtype=torch.float64).reshape(-1, n, n)


def special(n: int) -> Tensor:
    A = general(n)
    traces = A.diagonal(dim1=1, dim2=2).sum(1)
    return A - traces[:, None, None] * torch.eye(n, dtype=torch.float64) / n


def unitary(n: int) -> Tensor:
    """su(n) as real 2n x 2n matrices."""
    A = general(n)
    skew, symmetric = A - A.mT, A + A.mT
    symmetric = symmetric - 2 * A.diagonal(dim1=1, dim2=2).sum(1)[:, None, None] / n * torch.eye(n, dtype=torch.float64)
    i = torch.tensor([[0.0, -1], [1, 0]], dtype=torch.float64)
    one = torch.eye(2, dtype=torch.float64)
    return torch.stack([*(torch.kron(a, one) for a in skew), *(torch.kron(s, i) for s in symmetric)])


def symplectic(m: int) -> Tensor:
    J = torch.zeros(2 * m, 2 * m, dtype=torch.float64)
    J[:m, m:], J[m:, :m] = torch.eye(m), -torch.eye(m)
    A = general(2 * m)
    return J @ (A + A.mT)


def blocks(*parts: Tensor) -> Tensor:
    """The direct sum, each on components of its own."""
    n = sum(part.shape[1] for part in parts)
    made, start = [], 0
    for part in parts:
        wide = torch.zeros(len(part), n, n, dtype=torch.float64)
        stop = start + part.shape[1]
        wide[:, start:stop, start:stop] = part
        made.append(wide)
        start = stop
    return torch.cat(made)


def elementary(n: int, *where: tuple[int, int]) -> Tensor:
    A = torch.zeros(len(where), n, n, dtype=torch.float64)
    for k, (i, j) in enumerate(where):
        A[k, i, j] = 1
    return A


SCALE = torch.eye(4, dtype=torch.float64)[None]
EUCLID = torch.cat([blocks(orthogonal(3), torch.zeros(0, 1, 1)), elementary(4, (0, 3), (1, 3), (2, 3))])
KNOWN = {
    "trivial": torch.zeros(0, 3, 3, dtype=torch.float64),
    "so(2)": orthogonal(2),
    "so(1,1)": orthogonal(1, 1),
    "abelian R^1": SCALE,
    "abelian R^2": blocks(orthogonal(2), orthogonal(2)),
    "so(3)": orthogonal(3),
    "so(1,2)": orthogonal(1, 2),
    "so(4)": orthogonal(4),
    "so(1,3)": orthogonal(1, 3),
    "so(2,2)": orthogonal(2, 2),
    "so(5)": orthogonal(5),
    "so(2,3)": symplectic(2),
    "so(6)": unitary(4),
    "su(3)": unitary(3),
    "sl(3)": special(3),
    "gl(2)": general(2),
    "gl(3)": general(3),
    "gl(4)": general(4),
    "so(3,4) or sp(6)": symplectic(3),
    "so(1,3) + R": torch.cat([orthogonal(1, 3), SCALE]),
    "so(1,3) + so(3)": blocks(orthogonal(3), orthogonal(1, 3)),
    "so(3) + so(3) + so(3)": blocks(orthogonal(3), orthogonal(3), orthogonal(3)),
    "nilpotent dim 3": elementary(3, (0, 1), (1, 2), (0, 2)),
    "solvable dim 6": elementary(3, (0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2)),
    "so(3) with radical dim 3": EUCLID,
    "not closed": orthogonal(3)[:2],
}


@pytest.mark.parametrize(("known", "generators"), KNOWN.items(), ids=KNOWN)
def test_a_name_does_not_depend_on_basis_or_coordinates(known: str, generators: Tensor) -> None:
    assert name(generators) == known
    draw = torch.Generator().manual_seed(len(known))
    K, n = generators.shape[:2]
    change = torch.eye(n) + 0.3 * torch.randn(n, n, generator=draw, dtype=torch.float64) / n**0.5
    mixing = torch.linalg.qr(torch.randn(K, K, generator=draw, dtype=torch.float64)).Q + 0.5 * torch.eye(K)
    moved = torch.einsum("jk,kab->jab", mixing, change @ generators @ torch.linalg.inv(change))
    assert name(moved) == known
    noise = torch.randn(moved.shape, generator=draw, dtype=torch.float64)
    assert name(moved + 1e-4 * noise * moved.norm() / max(1, K) ** 0.5 / n) == known


def test_so10_has_a_name() -> None:
    assert name(orthogonal(10)) == "so(10)"


@given(st.integers(0, 5), st.integers(0, 5))
@settings(max_examples=15, deadline=None)
def test_the_killing_form_of_rotations_and_boosts(p: int, q: int) -> None:
    if p + q >= 3:
        c, _ = structure_constants(orthogonal(p, q))
        values = torch.linalg.eigvalsh(killing_form(c))
        assert int((values > 1e-9).sum()) == p * q
        assert int((values < -1e-9).sum()) == len(c) - p * q


def test_the_killing_form_is_invariant() -> None:
    """B([x, y], z) = B(x, [y, z])."""
    c, _ = structure_constants(torch.cat([EUCLID, elementary(4, (3, 3))]))
    B = killing_form(c)
    torch.testing.assert_close(torch.einsum("ijk,kl->ijl", c, B), torch.einsum("jlk,ik->ijl", c, B))


def test_the_derived_series_of_upper_triangular_matrices() -> None:
    assert derived_series(KNOWN["solvable dim 6"]) == [6, 3, 1, 0]
    assert derived_series(orthogonal(3)) == [3]
    assert derived_series(general(3)) == [9, 8]


def test_ideals_do_not_see_each_other() -> None:
    c, _ = structure_constants(blocks(orthogonal(3), orthogonal(1, 3), orthogonal(5)))
    assert sorted(len(ideal) for ideal in simple_ideals(c)) == [3, 6, 10]
