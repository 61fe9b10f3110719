"""The harmonic oscillator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from bench.contracts import MatrixSymmetry, Oracle, Symmetry, Tangent

from ._algebras import orthogonal, symplectic_form, unit
from ._law import between
from ._motion import LinearFields, Motion

__all__ = ["Energy", "LinearFields", "Oscillation", "Oscillator"]


class Oscillation(Tangent):
    """F(q, p) = (p, -q), (B, 2 d) -> (B, 2 d)."""

    def forward(self, x: Tensor) -> Tensor:
        q, p = x.chunk(2, 1)
        return torch.cat([p, -q], 1)


class Energy(Oracle):
    """(|q|^2 + |p|^2) / 2, (B, 2 d) -> (B, 1)."""

    def forward(self, x: Tensor) -> Tensor:
        return x.square().sum(1, keepdim=True) / 2


@dataclass(frozen=True)
class Oscillator(Motion):
    """The isotropic oscillator H = (|q|^2 + |p|^2) / 2 in d dimensions, in thermal equilibrium at temperature 1.

    Arguments:
        d: dimensions of q, 1 to 3.
    """

    d: int = 1

    track: ClassVar[tuple[str, str, str]] = ("identity", "conserved", "field")
    paper: ClassVar[str] = "https://arxiv.org/abs/2109.09721"

    def __post_init__(self) -> None:
        super().__post_init__()
        between("d", self.d, 1, 3)

    def width(self) -> int:
        return 2 * self.d

    def draw(self, count: int, rng: np.random.Generator) -> Tensor:
        return torch.from_numpy(rng.standard_normal((count, 2 * self.d)))

    def oracles(self) -> Mapping[str, Oracle]:
        """`dynamics`: the velocity. `conserved`: the energy."""
        return {"dynamics": Oscillation(), "conserved": Energy()}

    def truth(self, action: str, law: str) -> Symmetry | None:
        """All matrices that keep the law, for either action: gl(d, C) for the velocity; so(2 d) for energy and sample.

        gl(d, C) are the matrices that commute with Omega; u(d) are those that keep both.
        """
        moves = self.actions().get(action)
        laws = {"dynamics": _complex(self.d), "conserved": orthogonal(2 * self.d), "sample": orthogonal(2 * self.d)}
        name = self.resolved(law)
        if moves is None or name not in laws:
            return None
        return MatrixSymmetry.of(moves, laws[name]) if action == "linear" else LinearFields.of(moves, laws[name])


def _complex(d: int) -> Tensor:
    """[[a, b], [-b, a]] for all real d x d matrices a and b: (2 d^2, 2 d, 2 d)."""
    both = [torch.kron(torch.eye(2, dtype=torch.float64), unit(d, i, j)) for i in range(d) for j in range(d)]
    return torch.stack([*both, *(symplectic_form(2 * d) @ a for a in both)])
