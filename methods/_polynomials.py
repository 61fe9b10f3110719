"""Polynomial vector fields."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import combinations_with_replacement
from typing import Any

import torch
from torch import Tensor

from bench.contracts import Action, Symmetry

__all__ = ["PolynomialFields", "degrees"]

MOST = 400


def degrees(D: int, highest: int) -> Iterator[int]:
    """The degrees up to the highest, from linear on, as long as there are no more than 400 fields on D components."""
    for degree in range(min(1, highest), highest + 1):
        if degree < 2 or D * math.comb(D + degree, degree) <= MOST:
            yield degree


class PolynomialFields(Symmetry):
    """v_k(x) = W_k p(z): all monomials p up to a degree in z, the standardised components of x.

    Arguments:
        K: number of fields.
        degree: of the polynomials.
    """

    def __init__(self, action: Action, K: int, degree: int) -> None:
        super().__init__(action, K)
        self.degree = degree
        D = math.prod(action.shape)
        self.factors = monomials(D, degree)
        self.mean: Tensor
        self.spread: Tensor
        self.weights: Tensor
        self.register_buffer("mean", torch.zeros(D))
        self.register_buffer("spread", torch.ones(D))
        self.register_buffer("weights", torch.zeros(K, len(self.factors), D))

    @classmethod
    def over(cls, action: Action, x: Tensor, degree: int) -> PolynomialFields:
        """One field for every component and monomial, on the scale of the samples x (B, *s)."""
        flat = x.flatten(1)
        D = flat.shape[1]
        count = len(monomials(D, degree))
        self = cls(action, count * D, degree).to(x)
        self.mean, self.spread = flat.mean(0), flat.std(0).clamp(min=1e-6)
        self.weights = torch.eye(count * D).to(x).reshape(count * D, count, D) * self.spread
        return self

    def config(self) -> dict[str, Any]:
        return {"K": self.K, "degree": self.degree}

    def velocity(self, x: Tensor) -> Tensor:
        z = (x.flatten(1) - self.mean) / self.spread
        ones = torch.ones_like(z[:, :1])
        powers = torch.cat([ones, z], 1)[:, self.factors].prod(2)
        return torch.einsum("bp,kpd->kbd", powers, self.weights).reshape(self.K, *x.shape)

    def combine(self, c: Tensor) -> PolynomialFields:
        mixed = PolynomialFields(self.action, len(c), self.degree).to(self.weights)
        mixed.mean, mixed.spread = self.mean, self.spread
        mixed.weights = torch.einsum("jk,kpd->jpd", c.to(self.weights), self.weights)
        return mixed


def monomials(D: int, degree: int) -> Tensor:
    """The factors of each monomial up to a degree, (P, degree): 0 stands for 1, i for the component i - 1."""
    factors = list(combinations_with_replacement(range(D + 1), degree))
    return torch.tensor(factors, dtype=torch.long).reshape(len(factors), degree)
