"""Invariant tensors and equivariant maps: closed forms, another solver, and laws."""

import math

import numpy as np
import pytest
import torch
from bench.models.emlp import Group, T, closure_noise, equivariant_maps, invariants, nearest_algebra, residual
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import null_space
from torch import Tensor

from bench.errors import BenchError
from bench.lie import closure_residual

from .groups import element, orthogonal, permutation, special_linear, symmetric

BELL = [1, 1, 2, 5, 15]
SO3 = [1, 0, 1, 1, 3, 6, 15]
SIZES = (1e-5, 1e-4, 1e-3, 1e-2, 5e-2)


def dimensions(group: Group, ranks: range) -> list[int]:
    return [len(invariants(group, k)) for k in ranks]


def projector(w: Tensor) -> Tensor:
    flat = w.flatten(1)
    return flat.T @ flat


def test_rotations_keep_the_closed_number_of_tensors() -> None:
    assert dimensions(Group(orthogonal(3)), range(7)) == SO3


def test_lorentz_transformations_keep_the_closed_number_of_tensors() -> None:
    assert [len(invariants(Group(orthogonal(4, 1)), k)) for k in (2, 4, 6)] == [1, 4, 25]


@pytest.mark.parametrize(("n", "ranks"), [(2, range(4)), (3, range(7)), (4, range(5))])
def test_a_reflection_leaves_the_pairings(n: int, ranks: range) -> None:
    group = Group(orthogonal(n), torch.diag(torch.tensor([-1.0] + [1.0] * (n - 1)))[None])
    pairings = [0 if k % 2 else math.prod(range(1, k, 2)) for k in ranks]
    small = [k for k in ranks if k <= 2 * n]
    assert dimensions(group, range(len(small))) == pairings[: len(small)]


def test_permutations_keep_set_partitions() -> None:
    assert dimensions(Group(elements=symmetric(4)), range(5)) == BELL
    assert dimensions(Group(elements=symmetric(6)), range(5)) == BELL


@given(st.integers(2, 12))
@settings(deadline=None, max_examples=8)
def test_a_cycle_commutes_with_its_powers(n: int) -> None:
    group = Group(elements=permutation(*range(1, n), 0)[None])
    maps = equivariant_maps(group, "+", "+")
    assert len(maps) == n
    powers = torch.stack([torch.linalg.matrix_power(group.elements[0], k) for k in range(n)])
    assert torch.allclose(projector(maps), projector(powers / n**0.5), atol=1e-10)


def test_two_legs_are_the_metric() -> None:
    (eta,) = invariants(Group(orthogonal(4, 1)), 2)
    assert torch.allclose(eta / eta[0, 0], torch.diag(torch.tensor([1.0, -1, -1, -1])).double(), atol=1e-10)


@pytest.mark.parametrize(
    ("generators", "elements", "p", "q"),
    [
        (orthogonal(3), None, 3, 0),
        (orthogonal(3, 1), None, 2, 1),
        (special_linear(), None, 2, 2),
        (special_linear()[1:2], None, 2, 1),
        (torch.diag_embed(torch.ones(1, 3)), None, 2, 2),
        (None, symmetric(3), 2, 1),
        (orthogonal(2), torch.diag(torch.tensor([1.0, -1]))[None], 3, 1),
    ],
    ids=["so(3)", "so(1,2)", "sl(2)", "nilpotent", "dilation", "S_3", "O(2)"],
)
def test_the_space_is_the_null_space_of_the_stacked_constraint(
    generators: Tensor | None, elements: Tensor | None, p: int, q: int
) -> None:
    rep, n = T(p, q), (elements if generators is None else generators).shape[1]
    rows = [rep.matrix(A, finite=False) for A in ([] if generators is None else generators)]
    rows += [rep.matrix(h) - torch.eye(rep.size(n)) for h in ([] if elements is None else elements)]
    expected = torch.from_numpy(null_space(np.concatenate(rows), rcond=1e-9))
    found = projector(invariants(Group(generators, elements), p, q))
    assert torch.allclose(found, expected @ expected.T, atol=1e-9)


@pytest.mark.parametrize("legs", [("++", "+"), ("+-", "-+"), ("-", "+++"), ("", "++")])
@pytest.mark.parametrize("generators", [orthogonal(3), orthogonal(3, 1), special_linear()], ids=["O", "L", "SL"])
def test_every_map_of_a_basis_is_equivariant(generators: Tensor, legs: tuple[str, str]) -> None:
    out, into = (T(0) if not side else math.prod((T(0, 1) if leg == "-" else T(1) for leg in side), start=T(0))
                 for side in legs)  # fmt: skip
    g = element(generators)
    for W in equivariant_maps(Group(generators), *legs):
        assert torch.allclose(out.matrix(g) @ W, W @ into.matrix(g), atol=1e-9)


@given(st.integers(0, 1000), st.sampled_from([orthogonal(3), orthogonal(4, 1), special_linear()]))
@settings(deadline=None, max_examples=7)
def test_another_basis_of_the_algebra_leaves_the_space(seed: int, generators: Tensor) -> None:
    mixing = torch.randn(len(generators), len(generators), generator=torch.Generator().manual_seed(seed)).double()
    if torch.linalg.cond(mixing) < 20:
        mixed = torch.einsum("ij,jab->iab", mixing, generators)
        spaces = [projector(invariants(Group(A), 2, 2)) for A in (generators, mixed)]
        assert torch.allclose(*spaces, atol=1e-9)


@given(st.integers(0, 1000), st.sampled_from([orthogonal(3), orthogonal(4, 1), special_linear()]))
@settings(deadline=None, max_examples=7)
def test_another_basis_of_the_space_turns_the_tensors(seed: int, generators: Tensor) -> None:
    n = generators.shape[1]
    S = torch.eye(n) + 0.3 * torch.randn(n, n, generator=torch.Generator().manual_seed(seed)).double()
    if torch.linalg.cond(S) < 10:
        moved = invariants(Group(S @ generators @ torch.linalg.inv(S)), 2, 2).flatten(1)
        expected = torch.linalg.qr((invariants(Group(generators), 2, 2).flatten(1) @ T(2, 2).matrix(S).T).T).Q
        assert torch.allclose(moved.T @ moved, expected @ expected.T, atol=1e-8)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("generators", "k", "expected"),
    [(orthogonal(3), 3, 1), (orthogonal(3), 4, 3), (orthogonal(4, 1), 4, 4), (special_linear(), 4, 2)],
    ids=["so(3) 3", "so(3) 4", "so(1,3) 4", "sl(2) 4"],
)
def test_the_tolerance_follows_the_noise_of_the_generators(
    generators: Tensor, k: int, expected: int, size: float, seed: int
) -> None:
    noise = torch.randn(generators.shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    noisy = Group(generators + size * noise)
    w = invariants(noisy, k)
    assert len(w) == expected
    assert residual(noisy, w, k) < 3 * noisy.tolerance
    assert (projector(w) - projector(invariants(Group(generators), k))).norm() < 40 * size


def test_no_fixed_threshold_would_do() -> None:
    """Null singular values at noise 3e-2 are larger than the others are after a dilation of 1 %."""
    noise = torch.randn(6, 4, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    noisy = Group(orthogonal(4, 1) + 0.03 * noise)
    null = residual(noisy, invariants(noisy, 4), 4)
    dilated = Group(torch.cat([orthogonal(3), 0.01 * torch.eye(3)[None] + 0 * orthogonal(3)[:1]]))
    assert null > 0.03
    assert len(invariants(dilated, 2)) == 0


def test_a_spread_lets_a_single_generator_be_inexact() -> None:
    turn = orthogonal(2) + 1e-3 * torch.tensor([[1.0, 0.3], [0.2, 0.8]])
    assert len(invariants(Group(turn), 2)) == 0
    assert len(invariants(Group(turn, spread=1e-3), 2)) == 2


def test_rounding_to_single_precision_is_no_noise() -> None:
    assert dimensions(Group(orthogonal(3).float() * 0.37), range(5)) == SO3[:5]


@pytest.mark.parametrize("size", [1e-3, 5e-2])
@pytest.mark.parametrize("generators", [orthogonal(3), orthogonal(4, 1), special_linear()], ids=["O", "L", "SL"])
def test_polished_generators_close_and_stay_near(generators: Tensor, size: float) -> None:
    noise = torch.randn(generators.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    basis = torch.linalg.qr((generators + size * noise).flatten(1).T).Q.T.reshape(generators.shape)
    polished = nearest_algebra(basis)
    assert closure_residual(polished) < 1e-9
    moved = projector(polished) - projector(basis)
    assert moved.norm() < 2 * size * noise.norm()
    group = Group(generators + size * noise, polish=True)
    assert group.exact
    assert len(invariants(group, 4)) == len(invariants(Group(generators), 4))


def test_the_noise_of_closing_grows_with_the_noise() -> None:
    noise = torch.randn(3, 3, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    small, large = (closure_noise(orthogonal(3) + size * noise) for size in (1e-4, 1e-2))
    assert large == pytest.approx(100 * small, rel=0.1)
    assert closure_noise(orthogonal(3)) < 1e-14


@pytest.mark.parametrize(
    ("generators", "elements", "words"),
    [
        (None, None, "needs a matrix"),
        (torch.zeros(1, 2, 3), None, r"\(1, 2, 3\)"),
        (torch.full((1, 2, 2), torch.nan), None, "not finite"),
        (None, torch.ones(1, 2, 2), "no inverse"),
    ],
)
def test_what_is_no_group_is_refused(generators: Tensor | None, elements: Tensor | None, words: str) -> None:
    with pytest.raises(BenchError, match=words):
        Group(generators, elements)


def test_too_large_a_space_is_refused() -> None:
    with pytest.raises(BenchError, match="unknowns are left"):
        invariants(Group(elements=torch.eye(9)[None]), 3, 3)
