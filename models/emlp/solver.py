"""Invariant tensors of a matrix group, as the null space of its constraints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from bench.contracts import BenchError

from .group import Group
from .kronecker import joined

__all__ = ["invariants", "residual"]

TRIES = 3
ZERO = 1e-6
DEFECTIVE = 1e8
REACH = 0.3
UNCERTAIN = 1.5
BEYOND = 4.0
DEGREE = 24
POWERS = 10
ROOM = 2**28
NEGLIGIBLE = 1e-20


@dataclass(frozen=True)
class _Constraint:
    """w -> L w + w R' of an element of the algebra, or w -> L w R' - w of one of the group; w (l, r, c), c at once.

    Arguments:
        left, right: how the matrix acts on the first half of the legs and on the second, (l, l) and (r, r).
        finite: whether it is an element of the group.
    """

    left: Tensor
    right: Tensor
    finite: bool

    @classmethod
    def of(cls, A: Tensor, dual: Tensor, p: int, q: int, finite: bool) -> _Constraint:
        """The constraint of A on p legs, and of its dual on the q that follow."""
        legs = [A] * p + [dual] * q
        half = len(legs) // 2
        return cls(joined(legs[:half], finite), joined(legs[half:], finite), finite)

    def __call__(self, w: Tensor) -> Tensor:
        return self._apply(self.left, self.right, w)

    def adjoint(self, w: Tensor) -> Tensor:
        return self._apply(self.left.mT, self.right.mT, w)

    def _apply(self, left: Tensor, right: Tensor, w: Tensor) -> Tensor:
        on_left = (left @ w.flatten(1)).reshape(w.shape)
        moved: Tensor = right @ on_left - w if self.finite else on_left + right @ w
        return moved


def invariants(group: Group, p: int, q: int = 0) -> Tensor:
    """An orthonormal basis of the tensors T(p, q) = V^p V*^q that a group keeps: (d, n, ..., n), float64.

    The null space of the stacked constraints rho(A) w = 0 and rho(h) w = w (Finzi et al., arXiv:2104.09459, eq. 7),
    without their matrix: the weights of one element, sums of its eigenvalues, leave a small space, in which the others
    are solved. Singular values up to the group's tolerance are null; see `_nullity`.

    Arguments:
        p, q: how many legs are in V, and how many, after these, in V*.

    Raises:
        BenchError: no element with small cond and few weights, and the space too large without.
    """
    shape = (group.n,) * (p + q)
    if not shape:
        return torch.ones(1, dtype=torch.float64)
    constraints = _constraints(group, p, q)
    w = _start(group, p, q)
    for constraint in constraints if group.exact else []:
        if w.shape[2]:
            values, w = _rotated([constraint], w)
            w = w[..., values <= max(ZERO, group.tolerance)]
    if not w.shape[2]:
        return torch.zeros(0, *shape, dtype=torch.float64)
    values, w = _rotated(constraints, w)
    if not group.exact and w.shape[2] < w[..., 0].numel():
        values, w = _refined(constraints, values, w, max(REACH, 3 * group.tolerance))
    return w[..., : _nullity(values, group, p + q)].permute(2, 0, 1).reshape(-1, *shape)


def _nullity(values: Tensor, group: Group, legs: int) -> int:
    """How many of ascending singular values are null: those up to the tolerance.

    Errors of the generators add up over the legs, so that the tolerance grows with the root of their number; and as it
    is an estimate itself, the cut is at the widest gap that touches it within a factor of 1.5.
    """
    if group.exact:
        return int((values <= group.tolerance).sum())
    tolerance = group.tolerance * max(legs / 2, 1) ** 0.5
    ends = torch.tensor([tolerance / BEYOND, tolerance * BEYOND]).to(values)
    edges = torch.cat([ends, values]).sort().values
    near = (edges[1:] > tolerance / UNCERTAIN) & (edges[:-1] < tolerance * UNCERTAIN)
    gap = torch.where(near, edges[1:] / edges[:-1], 0).argmax()
    return int((values <= edges[gap]).sum())


def residual(group: Group, w: Tensor, p: int, q: int = 0) -> float:
    """The largest singular value of the stacked constraints on orthonormal tensors w (d, n, ..., n) in T(p, q)."""
    half = group.n ** ((p + q) // 2)
    values, _ = _rotated(_constraints(group, p, q), w.reshape(len(w), half, -1).permute(1, 2, 0))
    return values.max().item() if len(w) else 0.0


def _constraints(group: Group, p: int, q: int) -> list[_Constraint]:
    algebra = zip(group.generators, group.duals, strict=True)
    finite = zip(group.elements, group.dual_elements, strict=True)
    return [_Constraint.of(A, dual, p, q, False) for A, dual in algebra] + [
        _Constraint.of(h, dual, p, q, True) for h, dual in finite
    ]


def _start(group: Group, p: int, q: int) -> Tensor:
    """Orthonormal tensors (l, r, m) that one element of the group keeps: of those tried, the one that keeps least."""
    half = (p + q) // 2
    l, r = group.n**half, group.n ** (p + q - half)
    weights = [_Weights.of(group, A, finite, p, q) for A, finite in _elements(group)]
    best = min((kept for kept in weights if kept), key=lambda kept: kept.count, default=None)
    size = l * r if best is None else best.count
    if size * l * r > ROOM:
        raise BenchError(
            f"{size} of {l * r} unknowns are left of an equivariant map after its first constraint; allowed are "
            f"{ROOM // (l * r)}", "use tensors of a lower rank",
        )  # fmt: skip
    if best is None or 2 * size > l * r:
        return torch.eye(l * r, dtype=torch.float64).reshape(l, r, -1)
    tensors: Tensor = torch.linalg.qr(best.tensors().flatten(0, 1)).Q.reshape(l, r, -1)
    return tensors


def _elements(group: Group) -> list[tuple[Tensor, bool]]:
    """Random combinations of the generators, and the finite elements, each with whether it is finite."""
    K = len(group.generators)
    c = torch.randn(TRIES if K > 1 else K, K, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    mixed = torch.einsum("tk,kij->tij", c / c.norm(dim=1, keepdim=True), group.generators)
    return [(A, False) for A in mixed] + [(h, True) for h in group.elements]


@dataclass(frozen=True)
class _Weights:
    """The tensor products of eigenvectors that an element keeps.

    Arguments:
        left, right: eigenvectors on both halves of the legs, in columns.
        mirrors: the index of the complex conjugate of each, for both halves.
        kept: which pairs are kept, (l, r).
    """

    left: Tensor
    right: Tensor
    mirrors: tuple[Tensor, Tensor]
    kept: Tensor

    @classmethod
    def of(cls, group: Group, A: Tensor, finite: bool, p: int, q: int) -> _Weights | None:
        """Of the eigenvectors of A; None if these are no basis, or too uncertain a one."""
        values, vectors = torch.linalg.eig(A)
        condition = torch.linalg.cond(vectors).item()
        zero = max(ZERO, 10 * condition * (group.tolerance if not group.exact else group.rounding**2))
        if not condition < DEFECTIVE ** (1 / (p + q)) or zero > REACH:
            return None
        dual = 1 / values if finite else -values
        half = (p + q) // 2
        value = [values] * p + [dual] * q
        vector = [vectors] * p + [torch.linalg.inv(vectors).mT] * q
        mirror = [_mirror(values)] * (p + q)
        sides = slice(0, half), slice(half, None)
        left, right = (_weights(value[side], finite) for side in sides)
        off = left[:, None] * right - 1 if finite else left[:, None] + right
        first, second = (joined(vector[side], True) for side in sides)
        mirrors = _indices(mirror[:half]), _indices(mirror[half:])
        return cls(first, second, mirrors, off.abs() <= zero)

    @property
    def count(self) -> int:
        return int(self.kept.sum())

    def tensors(self) -> Tensor:
        """A real basis (l, r, m): the real vectors, and real and imaginary parts of one of each conjugate pair."""
        i, j = self.kept.nonzero().T
        r = len(self.right)
        here, there = i * r + j, self.mirrors[0][i] * r + self.mirrors[1][j]
        single, pair = here == there, here < there
        real = self._products(i[single], j[single]).real
        both = self._products(i[pair], j[pair])
        return torch.cat([real, both.real, both.imag], 2)

    def _products(self, i: Tensor, j: Tensor) -> Tensor:
        return self.left[:, None, i] * self.right[None, :, j]


def _mirror(values: Tensor) -> Tensor:
    """Conjugate eigenvalues of a real matrix stand side by side, the one with positive imaginary part first."""
    return torch.arange(len(values)) + values.imag.sign().long()


def _weights(values: list[Tensor], finite: bool) -> Tensor:
    """Products, or sums, of one eigenvalue of each leg."""
    total = torch.full((1,), float(finite), dtype=torch.complex128)
    for leg in values:
        total = (total[:, None] * leg if finite else total[:, None] + leg).flatten()
    return total


def _indices(legs: list[Tensor]) -> Tensor:
    """The index of a product of legs from the index on each."""
    total = torch.zeros(1, dtype=torch.long)
    for leg in legs:
        total = (total[:, None] * len(leg) + leg).flatten()
    return total


def _rotated(constraints: list[_Constraint], w: Tensor) -> tuple[Tensor, Tensor]:
    """Singular values of the stacked constraints on the span of w (l, r, c), ascending, and the vectors in it."""
    gram = torch.zeros(w.shape[2], w.shape[2], dtype=torch.float64)
    for constraint in constraints:
        image = constraint(w).flatten(0, 1)
        gram += image.T @ image
    if gram.trace() < NEGLIGIBLE:
        return gram.diagonal().clamp(min=0).sqrt(), w
    squares, vectors = torch.linalg.eigh(gram)
    return squares.clamp(min=0).sqrt(), w @ vectors


def _refined(constraints: list[_Constraint], values: Tensor, w: Tensor, reach: float) -> tuple[Tensor, Tensor]:
    """The same for singular values under `reach`, with what a first restriction to inexact weights has lost put back.

    A Chebyshev polynomial of sum C'C damps all tensors of large singular values (Zhou et al. 2006).
    """
    small = values < reach
    if small.all() or not small.any():
        return values, w
    rest = 0.25 * values[~small][0].item() ** 2

    def square(w: Tensor) -> Tensor:
        return torch.stack([constraint.adjoint(constraint(w)) for constraint in constraints]).sum(0)

    w = w[..., small]
    top = _largest(square, w)
    before, now = w, (2 * square(w) - (top + rest) * w) / (top - rest)
    for _ in range(DEGREE - 1):
        before, now = now, 2 * (2 * square(now) - (top + rest) * now) / (top - rest) - before
    return _rotated(constraints, torch.linalg.qr(now.flatten(0, 1)).Q.reshape(w.shape))


def _largest(square: Callable[[Tensor], Tensor], like: Tensor) -> float:
    """A bound on the largest eigenvalue of sum C'C, by power iteration."""
    v = torch.randn(*like.shape[:2], 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for _ in range(POWERS):
        v = square(v / v.norm(dim=(0, 1)))
    return float(1.2 * v.norm(dim=(0, 1)).max())
