"""Vectors and the polynomials that classical groups keep."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from bench.contracts import Action, BenchError, Linear, MatrixSymmetry, Oracle, Symmetry

from ._algebras import block, free_rows, orthogonal, symplectic, symplectic_form
from ._law import LawData, between, one_of
from ._reflections import flip, products, swap

__all__ = ["Form", "Vectors"]

MOST = 10


@dataclass(frozen=True)
class _Law:
    """phi of C vectors, (B, C, n) -> (B, m), and the group in GL(n) that keeps it.

    Arguments:
        algebra: n -> its generators, (K, n, n).
        mirrors: n -> commuting involutions (n, n); each of its components that 1 is not in has one of their products.
    """

    phi: Callable[[Tensor], Tensor]
    algebra: Callable[[int], Tensor]
    mirrors: Callable[[int], list[Tensor]]
    vectors: int = 1


def _square(x: Tensor) -> Tensor:
    return x.square().sum((1, 2))[:, None]


def _minkowski(x: Tensor) -> Tensor:
    return _square(x[..., 1:]) - _square(x[..., :1])


def _squeeze(x: Tensor) -> Tensor:
    return x[:, :, 0] * x[:, :, 1]


def _squeezing(n: int) -> Tensor:
    stretch = torch.zeros(1, n, n, dtype=torch.float64)
    stretch[0, 0, 0], stretch[0, 1, 1] = 1, -1
    return torch.cat([stretch, free_rows(n, 2)]) if n > 2 else stretch


def _exchanges(n: int) -> list[Tensor]:
    return [flip(n, 0, 1), swap(n, 0, 1), *([flip(n, n - 1)] if n > 2 else [])]


def _subspace(x: Tensor) -> Tensor:
    return _square(x[..., :-1])


def _in_subspace(n: int) -> Tensor:
    return torch.cat([block(orthogonal(n - 1), n), free_rows(n, n - 1)])


def _area(x: Tensor) -> Tensor:
    omega = symplectic_form(x.shape[-1]).to(x)
    return torch.einsum("bi,ij,bj->b", x[:, 0], omega, x[:, 1])[:, None]


def _two_forms(x: Tensor) -> Tensor:
    half = -(-x.shape[-1] // 2)
    return torch.cat([_square(x), _square(x[..., :half])], 1)


def _two_rotations(n: int) -> Tensor:
    half = -(-n // 2)
    return torch.cat([block(orthogonal(half), n), block(orthogonal(n - half), n, half)])


def _cubic(x: Tensor) -> Tensor:
    return x[..., 0] * _square(x[..., 1:])


def _of_cubic(n: int) -> Tensor:
    stretch = torch.eye(n, dtype=torch.float64)
    stretch[0, 0] = -2
    return torch.cat([stretch[None], block(orthogonal(n - 1), n, 1)])


LAWS = {
    "euclidean": _Law(_square, orthogonal, lambda n: [flip(n, 0)]),
    "minkowski": _Law(_minkowski, lambda n: orthogonal(n, 1), lambda n: [flip(n, 0), flip(n, 1)]),
    "squeeze": _Law(_squeeze, _squeezing, _exchanges),
    "subspace": _Law(_subspace, _in_subspace, lambda n: [flip(n, 0), flip(n, n - 1)]),
    "symplectic": _Law(_area, symplectic, lambda n: [], vectors=2),
    "two_forms": _Law(_two_forms, _two_rotations, lambda n: [flip(n, 0), flip(n, n - 1)]),
    "polynomial": _Law(_cubic, _of_cubic, lambda n: [flip(n, 1)]),
}


class Form(Oracle):
    """phi(x) of a law's name, for samples (B, C n) of C vectors."""

    def __init__(self, law: str, n: int) -> None:
        super().__init__()
        self.law = law
        self.n = n

    def forward(self, x: Tensor) -> Tensor:
        return LAWS[self.law].phi(x.reshape(len(x), -1, self.n))


@dataclass(frozen=True)
class Vectors(LawData):
    """Normal vectors x in R^n and a polynomial phi(x) that a classical group keeps.

    euclidean |x|^2: so(n). minkowski x_2^2 + ... + x_n^2 - x_1^2: so(1, n - 1). squeeze x_1 x_2: diag(1, -1), and any
    change of the other coordinates. subspace x_1^2 + ... + x_(n-1)^2: so(n - 1), and any change of x_n. symplectic
    u'Omega v of two vectors, n even: sp(n). two_forms |x|^2 and the square of the first half: so + so.
    polynomial x_1 (x_2^2 + ... + x_n^2): diag(-2, 1, ..., 1) and so(n - 1). And reflections, where they keep it.

    Arguments:
        law: euclidean, minkowski, squeeze, subspace, symplectic, two_forms or polynomial.
        n: dimension of a vector, 2 to 10.
    """

    law: Literal["euclidean", "minkowski", "squeeze", "subspace", "symplectic", "two_forms", "polynomial"] = "euclidean"
    n: int = 3

    track: ClassVar[tuple[str, str, str]] = ("identity", "law", "linear")
    paper: ClassVar[str] = "https://arxiv.org/abs/2301.05638"

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("law", self.law, tuple(LAWS))
        between("n", self.n, 2, MOST)
        if self.law == "symplectic" and self.n % 2:
            raise BenchError(f"n = {self.n}; a symplectic form needs an even n", "for example n=4", usage=True)

    def draw(self, count: int, rng: np.random.Generator) -> Tensor:
        return torch.from_numpy(rng.standard_normal((count, self.n * LAWS[self.law].vectors)))

    def actions(self) -> Mapping[str, Action]:
        """gl(n), the same matrix on each vector."""
        return {"linear": Linear((self.n * LAWS[self.law].vectors,), self.n)}

    def oracles(self) -> Mapping[str, Oracle]:
        """The law."""
        return {"law": Form(self.law, self.n)}

    def truth(self, action: str, law: str) -> Symmetry | None:
        """The whole algebra that keeps the law, and an element of each other component; O(n) for the sample."""
        linear = self.actions().get(action)
        laws = {"law": LAWS[self.law], "sample": LAWS["euclidean"]}
        name = self.resolved(law)
        if linear is None or name not in laws:
            return None
        generators, mirrors = laws[name].algebra(self.n), laws[name].mirrors(self.n)
        return MatrixSymmetry.of(linear, generators, products(mirrors, self.n))
