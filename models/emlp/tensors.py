"""Representations made from a base representation: T(p, q), sums, products and duals."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .group import Group
from .kronecker import joined
from .solver import invariants

__all__ = ["Representation", "T", "equivariant_maps"]

FLIP = str.maketrans("+-", "-+")


@dataclass(frozen=True)
class Representation:
    """A direct sum of tensors of the base representation V, and of its dual V*: nothing is computed yet.

    Its coordinates are those of term after term, copy after copy, leg after leg.

    Arguments:
        terms: (legs, copies) of each term; a leg in V is "+", one in V* is "-", a scalar has none.

    Example: `4 * T(0) + 2 * T(1) + T(1) * T(1).dual` is four scalars, two vectors, a matrix.
    """

    terms: tuple[tuple[str, int], ...]

    def __add__(self, other: Representation) -> Representation:
        terms = [*self.terms]
        for legs, copies in other.terms:
            if terms and terms[-1][0] == legs:
                terms[-1] = legs, terms[-1][1] + copies
            else:
                terms.append((legs, copies))
        return Representation(tuple(terms))

    def __mul__(self, other: Representation) -> Representation:
        terms = [((a + b, m * k),) for a, m in self.terms for b, k in other.terms]
        return sum(map(Representation, terms), Representation(()))

    def __rmul__(self, copies: int) -> Representation:
        if len(self.terms) == 1:
            return Representation(((self.terms[0][0], copies * self.terms[0][1]),))
        return sum([self] * copies, Representation(()))

    @property
    def dual(self) -> Representation:
        return Representation(tuple((legs.translate(FLIP), copies) for legs, copies in self.terms))

    def size(self, n: int) -> int:
        """Its dimension, for V = R^n."""
        return sum(copies * n ** len(legs) for legs, copies in self.terms)

    def matrix(self, g: Tensor, finite: bool = True) -> Tensor:
        """How an element g of the group (n, n), or of its algebra, acts on the coordinates: (size, size), float64."""
        g = g.double()
        dual = torch.linalg.inv(g).mT if finite else -g.mT
        blocks = [joined([g if leg == "+" else dual for leg in legs], finite) for legs, _ in self.terms]
        every = [torch.kron(torch.eye(m).to(g), B) for B, (_, m) in zip(blocks, self.terms, strict=True)]
        whole: Tensor = torch.block_diag(*every)  # type: ignore[no-untyped-call]
        return whole


def T(p: int, q: int = 0) -> Representation:
    """The tensors with p legs in V and q in V*."""
    return Representation((("+" * p + "-" * q, 1),))


def equivariant_maps(group: Group, out: str, into: str) -> Tensor:
    """An orthonormal basis of the maps W with rho_out(g) W = W rho_in(g), (d, n^|out|, n^|in|), float64.

    As W is an invariant tensor of out x in*, one solution serves all legs with as many in V and in V*.

    Arguments:
        out, into: legs, as in `Representation`.
    """
    legs = out + into.translate(FLIP)
    p = legs.count("+")
    known = group.solved
    if (p, len(legs) - p) not in known:
        known[p, len(legs) - p] = invariants(group, p, len(legs) - p)
    order = sorted(range(len(legs)), key=lambda leg: legs[leg] == "-")
    place = [1 + order.index(leg) for leg in range(len(legs))]
    tensors = known[p, len(legs) - p].permute(0, *place)
    return tensors.reshape(len(tensors), group.n ** len(out), group.n ** len(into))
