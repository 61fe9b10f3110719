"""Symmetry: what a method discovers, and what a truth is."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from bench.errors import BenchError

if TYPE_CHECKING:
    from bench.contracts.action import Action

__all__ = ["Combination", "MatrixSymmetry", "NoSymmetry", "Symmetry"]


class Symmetry(nn.Module, ABC):
    """K vector fields v_k with a score each, and M finite elements.

    `cls(action, **config())` followed by `load_state_dict` rebuilds it. A class that lists `"oracle"` or
    `"view"` in `asks` gets the track's own as a keyword argument on rebuilding, and must keep it out of its
    state (`self.borrow`). K = M = 0 means "I found none".
    """

    asks: ClassVar[frozenset[str]] = frozenset()
    rk4_steps: ClassVar[int] = 10

    def __init__(self, action: Action, K: int, M: int = 0) -> None:
        super().__init__()
        self.action = action
        self.K = K
        self.M = M
        self.scores: Tensor
        self.register_buffer("scores", torch.zeros(K))  # smaller is more certain

    @abstractmethod
    def velocity(self, x: Tensor) -> Tensor:
        """v_k(x): (B, *s) -> (K, B, *s)."""

    def config(self) -> dict[str, Any]:
        """The JSON-serialisable keyword arguments that rebuild it."""
        return {}

    def along(self, x: Tensor, t: Tensor) -> Tensor:
        """The combined field sum_k t_k v_k(x): x (B, *s), t (B, K) -> (B, *s)."""
        return torch.einsum("bk,kb...->b...", t, self.velocity(x))

    def transform(self, x: Tensor, t: Tensor) -> Tensor:
        """The flow of sum_k t_k v_k from x for unit time, by default in RK4 steps: x (B, *s), t (B, K)."""
        h = 1 / self.rk4_steps
        for _ in range(self.rk4_steps):
            k1 = self.along(x, t)
            k2 = self.along(x + h / 2 * k1, t)
            k3 = self.along(x + h / 2 * k2, t)
            k4 = self.along(x + h * k3, t)
            x = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        return x

    def transform_target(self, y: Tensor, t: Tensor) -> Tensor:
        """How the target moves when the sample does; by default it stays."""
        return y

    @property
    def moves_targets(self) -> bool:
        """Whether it says how targets move, where its action moves them."""
        return self.action.target is None or type(self).transform_target is not Symmetry.transform_target

    def element(self, x: Tensor, j: int) -> Tensor:
        """The j-th finite element applied to x: (B, *s) -> (B, *s)."""
        raise IndexError(f"{type(self).__name__} has {self.M} finite elements, no number {j}")

    def elements_of(self, x: Tensor, number: Tensor) -> Tensor:
        """Each sample moved by the finite element of its number, M being the identity: x (B, *s), number (B,)."""
        moved = x.clone()
        for j in range(self.M):
            mine = (number == j).to(x.device)
            if mine.any():
                moved[mine] = self.element(x[mine], j)
        return moved

    def matrices(self) -> Tensor | None:
        """The generators as matrices (K, n, n), where the action has them."""
        return None

    def combine(self, c: Tensor) -> Symmetry:
        """The fields sum_k c_jk v_k: c (J, K) -> a symmetry with J fields."""
        return Combination(self, c)

    def borrow(self, name: str, module: nn.Module) -> None:
        """Keep a module that belongs to the track, outside of parameters and state."""
        object.__setattr__(self, name, module)


class NoSymmetry(Symmetry):
    """K = M = 0: none was found, or none is known to exist."""

    def __init__(self, action: Action) -> None:
        super().__init__(action, 0)

    def velocity(self, x: Tensor) -> Tensor:
        return x.new_zeros((0, *x.shape))

    def transform(self, x: Tensor, t: Tensor) -> Tensor:
        return x


class MatrixSymmetry(Symmetry):
    """Generators L_k as matrices of the action: v_k(x) = d/ds act(exp(s L_k), x) at s = 0.

    Arguments:
        action: an action with matrices.
        K: number of generators, (K, n, n).
        M: number of finite elements, (M, n, n).
        spread: relative error of the generators: the RMS Frobenius distance of one of norm 1 from those of a bootstrap;
            0: not known. BenchError if it is negative or not finite.
    """

    def __init__(self, action: Action, K: int, M: int = 0, spread: float = 0.0) -> None:
        super().__init__(action, K, M)
        self.spread = float(spread)
        if not 0 <= self.spread < math.inf:
            raise BenchError(f"the generators' spread is {spread}; allowed are numbers from 0, which is: not known")
        self.generators: Tensor
        self.elements: Tensor
        self.register_buffer("generators", torch.zeros(K, action.n, action.n))
        self.register_buffer("elements", torch.zeros(M, action.n, action.n))

    @classmethod
    def of(
        cls, action: Action, generators: Tensor, elements: Tensor | None = None, scores: Tensor | None = None,
        spread: float = 0.0,
    ) -> MatrixSymmetry:  # fmt: skip
        """The symmetry of given generators (K, n, n) and finite elements (M, n, n)."""
        self = cls(action, len(generators), 0 if elements is None else len(elements), spread)
        self.generators = generators.detach().clone()
        if elements is not None:
            self.elements = elements.detach().clone()
        if scores is not None:
            self.scores = scores.detach().clone()
        return self

    def config(self) -> dict[str, Any]:
        return {"K": self.K, "M": self.M, "spread": self.spread}

    def velocity(self, x: Tensor) -> Tensor:
        return self.action.velocity(self.generators.to(x), x)

    def transform(self, x: Tensor, t: Tensor) -> Tensor:
        """act(exp(sum_k t_k L_k), x)."""
        return self.action.act(torch.linalg.matrix_exp(torch.einsum("bk,kij->bij", t, self.generators.to(t))), x)

    def transform_target(self, y: Tensor, t: Tensor) -> Tensor:
        if self.action.target is None:
            return y
        return self.action.target.act(torch.linalg.matrix_exp(torch.einsum("bk,kij->bij", t, self.generators.to(t))), y)

    def element(self, x: Tensor, j: int) -> Tensor:
        return self.action.act(self.elements[j].to(x).expand(len(x), -1, -1), x)

    def matrices(self) -> Tensor:
        return self.generators

    def combine(self, c: Tensor) -> Symmetry:
        mixed = torch.einsum("jk,kab->jab", c.to(self.generators), self.generators)
        return MatrixSymmetry.of(self.action, mixed, spread=self.spread)


class Combination(Symmetry):
    """The fields sum_k c_jk v_k of another symmetry."""

    def __init__(self, inner: Symmetry, c: Tensor) -> None:
        super().__init__(inner.action, len(c))
        self.inner = inner
        self.c: Tensor
        self.register_buffer("c", c)

    def velocity(self, x: Tensor) -> Tensor:
        return torch.einsum("jk,kb...->jb...", self.c.to(x), self.inner.velocity(x))

    def along(self, x: Tensor, t: Tensor) -> Tensor:
        return self.inner.along(x, t @ self.c.to(t))

    def transform(self, x: Tensor, t: Tensor) -> Tensor:
        return self.inner.transform(x, t @ self.c.to(t))

    @property
    def moves_targets(self) -> bool:
        return self.inner.moves_targets

    def transform_target(self, y: Tensor, t: Tensor) -> Tensor:
        return self.inner.transform_target(y, t @ self.c.to(t))

    def matrices(self) -> Tensor | None:
        inner = self.inner.matrices()
        return None if inner is None else torch.einsum("jk,kab->jab", self.c.to(inner), inner)
