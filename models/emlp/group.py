"""A matrix group, given by generators of its algebra and by finite elements, and how exactly these are known."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from bench.contracts import BenchError
from bench.lie import bracket, orthonormaliser, structure_constants

__all__ = ["Group", "closure_noise", "nearest_algebra"]

SIGMAS = 3.0
STEPS = 50


class Group:
    """Matrices that act on a base representation V = R^n.

    Arguments:
        generators: matrices A of the algebra (K, n, n), in any basis, exact or discovered. They are kept as a
            Frobenius-orthonormal basis of their span, scaled to a largest spectral norm of 1.
        elements: finite elements h (M, n, n), invertible.
        spread: how far a generator of Frobenius norm 1 is off, from a bootstrap; for a single generator nothing else
            tells, as it always closes.
        polish: move the generators to the nearest closed algebra first.

    Attributes:
        tolerance: singular values of a constraint up to this are null: three times the deviation of the brackets from
            the span, or the spread where that is larger, and never less than the rounding of the given matrices.
        solved: bases of the invariant tensors T(p, q) that were asked for, by (p, q).

    Raises:
        BenchError: no matrices, not square, of different sizes, not finite, or an element has no inverse.
    """

    def __init__(
        self, generators: Tensor | None = None, elements: Tensor | None = None, spread: float = 0.0,
        polish: bool = False,
    ) -> None:  # fmt: skip
        given = [matrices for matrices in (generators, elements) if matrices is not None and len(matrices)]
        self.n = _size(given)
        none = torch.zeros(0, self.n, self.n, dtype=torch.float64)
        span = none if generators is None or not len(generators) else _orthonormal(generators)
        if polish and len(span) > 1:
            span = nearest_algebra(span)
        scale = 1 / max(torch.linalg.matrix_norm(span, 2).max().item(), 1e-300) if len(span) else 1.0
        self.generators: Tensor = scale * span
        self.elements: Tensor = none if elements is None else elements.detach().cpu().double()
        self.rounding: float = 0.1 * max(torch.finfo(matrices.dtype).eps for matrices in given) ** 0.5
        self.noise: float = SIGMAS * max(closure_noise(self.generators), scale * spread)
        if len(self.elements) and torch.linalg.cond(self.elements).max() > 1e12:
            raise BenchError("a finite element has no inverse; elements are invertible matrices", "leave it out")
        self.solved: dict[tuple[int, int], Tensor] = {}

    def __repr__(self) -> str:
        return f"Group(n={self.n}, K={len(self.generators)}, M={len(self.elements)}, tolerance={self.tolerance:.1e})"

    @property
    def tolerance(self) -> float:
        return max(self.noise, self.rounding)

    @property
    def exact(self) -> bool:
        """Whether only rounding stands between the matrices and a group."""
        return self.noise <= self.rounding

    @cached_property
    def duals(self) -> Tensor:
        """-A', how the generators act on the dual V*: (K, n, n)."""
        return -self.generators.mT

    @cached_property
    def dual_elements(self) -> Tensor:
        """The inverse transpose of each finite element: (M, n, n)."""
        inverse: Tensor = torch.linalg.inv(self.elements)
        return inverse.mT


def _size(given: list[Tensor]) -> int:
    if not given:
        raise BenchError("a group needs a matrix and there is none; one generator or finite element is enough")
    n = given[0].shape[-1]
    if any(matrices.dim() != 3 or matrices.shape[1:] != (n, n) for matrices in given):
        shapes = " and ".join(str(tuple(matrices.shape)) for matrices in given)
        raise BenchError(f"matrices of shape {shapes}; allowed are (K, n, n) with the same n")
    if not all(matrices.isfinite().all() for matrices in given):
        raise BenchError("a generator or a finite element is not finite", "leave it out")
    return n


def _orthonormal(generators: Tensor) -> Tensor:
    flat = generators.detach().cpu().double().flatten(1)
    basis: Tensor = (orthonormaliser(flat) @ flat).reshape(-1, *generators.shape[1:])
    return basis


def closure_noise(generators: Tensor) -> float:
    """The root mean square, over i != j, of the Frobenius norm of what [A_i, A_j] has outside of the span.

    It is 0 for an algebra, and of the size of the errors of the A_i where they are not exact. For less than two
    generators it says nothing and is 0.
    """
    _, outside = structure_constants(generators)
    K = len(outside)
    if K < 2:
        return 0.0
    size = torch.linalg.matrix_norm(generators).square().mean()
    return float(size * (outside.square().sum() / (K * (K - 1))).sqrt())


def nearest_algebra(generators: Tensor) -> Tensor:
    """The closed algebra next to a span of orthonormal generators (K, n, n).

    Levenberg-Marquardt on F(A) = the part of all [A_i, A_j] outside of the span, whose steps of least norm stay close
    to the start; damping |F|^2 converges quadratically where the solutions are not isolated (Yamashita & Fukushima
    2001). BenchError if none is found.
    """
    shape = generators.shape

    def outside(flat: Tensor) -> Tensor:
        rows = torch.linalg.qr(flat.reshape(shape[0], -1).T).Q.T
        A = rows.reshape(shape)
        upper = torch.triu_indices(shape[0], shape[0], 1)
        brackets = bracket(A[upper[0]], A[upper[1]]).flatten(1)
        off: Tensor = brackets - brackets @ rows.T @ rows
        return off.flatten()

    flat = generators.flatten()
    for _ in range(STEPS):
        F = outside(flat)
        if F.norm() < 1e-13:
            return _orthonormal(flat.reshape(shape))
        J = torch.func.jacrev(outside)(flat)
        damped = J.T @ J + F.square().sum() * torch.eye(len(flat)).to(F)
        flat = flat - torch.linalg.solve(damped, J.T @ F)
        flat = _orthonormal(flat.reshape(shape)).flatten()
    if outside(flat).norm() < 1e-9:
        return flat.reshape(shape)
    raise BenchError("no closed algebra near the generators", "polish=False takes them as they are")
