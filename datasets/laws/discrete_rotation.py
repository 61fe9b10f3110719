"""A law that turns by a k-th of the circle keep, and no others."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from bench.contracts import Action, Linear, MatrixSymmetry, Oracle, Symmetry

from ._algebras import block, orthogonal
from ._law import LawData, between

__all__ = ["DiscreteRotation", "Petals"]

LEAST, MOST = 2, 30


class Petals(Oracle):
    """phi = (z, r cos k theta, r sin k theta) of points (B, 3) with cylinder coordinates r, theta, z.

    Arguments:
        k: the order of the group.
    """

    def __init__(self, k: int) -> None:
        super().__init__()
        self.k = k

    def forward(self, x: Tensor) -> Tensor:
        radius = torch.hypot(x[:, 0], x[:, 1])
        angle = self.k * torch.atan2(x[:, 1], x[:, 0])
        return torch.stack([x[:, 2], radius * angle.cos(), radius * angle.sin()], 1)


@dataclass(frozen=True)
class DiscreteRotation(LawData):
    """Normal points in space, and a law that tells all apart but for rotations by 2 pi / k about the third axis.

    Arguments:
        k: the order of the group, 2 to 30.
    """

    k: int = 7

    track: ClassVar[tuple[str, str, str]] = ("identity", "law", "linear")
    paper: ClassVar[str] = "https://arxiv.org/abs/2302.00236"

    def __post_init__(self) -> None:
        super().__post_init__()
        between("k", self.k, LEAST, MOST)

    def draw(self, count: int, rng: np.random.Generator) -> Tensor:
        return torch.from_numpy(rng.standard_normal((count, 3)))

    def actions(self) -> Mapping[str, Action]:
        """gl(3)."""
        return {"linear": Linear((3,))}

    def oracles(self) -> Mapping[str, Oracle]:
        """The law."""
        return {"law": Petals(self.k)}

    def truth(self, action: str, law: str) -> Symmetry | None:
        """The k - 1 rotations of the law and no generator; so(3), that of normal points, for the sample."""
        linear = self.actions().get(action)
        name = self.resolved(law)
        if linear is None or name not in ("law", "sample"):
            return None
        if name == "sample":
            return MatrixSymmetry.of(linear, orthogonal(3))
        turns = 2 * math.pi / self.k * torch.arange(1, self.k, dtype=torch.float64)
        elements = torch.linalg.matrix_exp(turns[:, None, None] * block(orthogonal(2), 3))
        return MatrixSymmetry.of(linear, torch.zeros(0, 3, 3, dtype=torch.float64), elements)
