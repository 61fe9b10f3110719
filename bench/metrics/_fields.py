"""Fields that move the rows of a batch: one field for all rows, or a draw of chance for each."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from bench.contracts import Combination, Oracle, RandomFields, Symmetry

__all__ = ["Draws", "Field", "Single"]


class Field(ABC):
    """A vector field for each row of a batch.

    `exact`: whether `flow` is known; otherwise the velocity is to be integrated.
    `costly`: whether a velocity runs the oracle or the view.
    """

    exact: bool
    costly: bool = False

    @abstractmethod
    def velocity(self, x: Tensor, rows: Tensor) -> Tensor:
        """The velocities of the given rows (B,), which stand at x (B, *s)."""

    @abstractmethod
    def flow(self, x: Tensor, t: Tensor, rows: Tensor) -> Tensor:
        """Where the given rows are after times t (B,)."""

    @abstractmethod
    def violation(self, oracle: Oracle, x: Tensor, t: Tensor) -> Tensor:
        """phi(s x) - s phi(x) where s follows the field for times t (B,), for all rows: x (B, *s) -> (B, m)."""

    @abstractmethod
    def reversed(self) -> Field:
        """The opposite fields."""


class Single(Field):
    """sum_k c_k v_k, c (K,), in all rows; exact where the symmetry has a `transform` of its own."""

    def __init__(self, symmetry: Symmetry, c: Tensor) -> None:
        while isinstance(symmetry, Combination):
            mixing: Tensor = symmetry.c
            symmetry, c = symmetry.inner, c @ mixing.to(c)
        self.symmetry = symmetry
        self.c = c
        self.exact = type(symmetry).transform is not Symmetry.transform
        self.costly = bool(symmetry.asks)

    def velocity(self, x: Tensor, rows: Tensor) -> Tensor:
        return self.symmetry.along(x, self.c.to(x).expand(len(x), -1))

    def flow(self, x: Tensor, t: Tensor, rows: Tensor) -> Tensor:
        return self.symmetry.transform(x, t[:, None] * self.c.to(x))

    def violation(self, oracle: Oracle, x: Tensor, t: Tensor) -> Tensor:
        return oracle.violation(self.symmetry, x, t[:, None] * self.c.to(x))

    def reversed(self) -> Single:
        return Single(self.symmetry, -self.c)


class Draws(Field):
    """Row i follows sum_a c_ja e_a of its own draw j = number[i]: c (draws, N), number (rows,)."""

    def __init__(self, basis: Symmetry, c: Tensor, number: Tensor) -> None:
        self.basis = basis
        self.c = c
        self.number = number
        self.exact = basis.matrices() is not None
        self.drawn = basis.combine(c)

    def velocity(self, x: Tensor, rows: Tensor) -> Tensor:
        if isinstance(self.drawn, RandomFields):
            return _Rowwise(self.drawn, self.number[rows]).velocity(x)[0]
        return self.basis.along(x, self.c[self.number[rows]].to(x))

    def flow(self, x: Tensor, t: Tensor, rows: Tensor) -> Tensor:
        return self.basis.transform(x, t[:, None] * self.c[self.number[rows]].to(x))

    def violation(self, oracle: Oracle, x: Tensor, t: Tensor) -> Tensor:
        if isinstance(self.drawn, RandomFields):
            return oracle.violation(_Rowwise(self.drawn, self.number), x, t[:, None])
        return oracle.violation(self.basis, x, t[:, None] * self.c[self.number].to(x))

    def reversed(self) -> Draws:
        return Draws(self.basis, -self.c, self.number)


class _Rowwise(Symmetry):
    """One field of several for each row: the weights of all are mixed once, and not at each step of a flow."""

    rk4_steps = RandomFields.rk4_steps

    def __init__(self, fields: RandomFields, number: Tensor) -> None:
        super().__init__(fields.action, 1)
        self.fields = fields
        self.weights = fields.weights[number]

    def velocity(self, x: Tensor) -> Tensor:
        return torch.bmm(self.fields.waves(x)[:, None], self.weights).reshape(1, *x.shape)
