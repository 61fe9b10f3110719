"""The Kepler problem in the plane."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from bench.contracts import Action, MatrixSymmetry, Oracle, Symmetry, Tangent

from ._algebras import orthogonal
from ._gravity import perpendicular
from ._motion import Motion

__all__ = ["Attraction", "EnergyAndSpin", "Kepler", "TurnsAndTime"]

AXES = (0.5, 1.5)
ECCENTRICITY = 0.5
NEWTON = 8
LAWS = ("dynamics", "conserved", "sample")


class Attraction(Tangent):
    """F(q, p) = (p, -q / |q|^3), (B, 4) -> (B, 4)."""

    def forward(self, x: Tensor) -> Tensor:
        q, p = x.chunk(2, 1)
        return torch.cat([p, -q / q.norm(dim=1, keepdim=True) ** 3], 1)


class EnergyAndSpin(Oracle):
    """(|p|^2 / 2 - 1 / |q|, q x p), (B, 4) -> (B, 2)."""

    def forward(self, x: Tensor) -> Tensor:
        q, p = x.chunk(2, 1)
        energy = p.square().sum(1) / 2 - 1 / q.norm(dim=1)
        return torch.stack([energy, (perpendicular(q) * p).sum(1)], 1)


class TurnsAndTime(Symmetry):
    """The rotation of q and p, and the motion itself: the fields whose orbits are the tori of energy and spin."""

    def __init__(self, action: Action) -> None:
        super().__init__(action, 2)
        self.motion = Attraction()

    def velocity(self, x: Tensor) -> Tensor:
        turned = perpendicular(x.reshape(-1, 2, 2)).reshape(x.shape)
        return torch.stack([turned, self.motion(x)])


@dataclass(frozen=True)
class Kepler(Motion):
    """Bound orbits about a fixed centre, q'' = -q / |q|^3, in the plane and in one sense.

    Semi-major axes from 0.5 to 1.5 and eccentricities up to 0.5; orientation and time since the pericentre are uniform,
    so that the sample has the symmetries of the law.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/2109.09721"

    def draw(self, count: int, rng: np.random.Generator) -> Tensor:
        size, e = rng.uniform(*AXES, count), rng.uniform(0, ECCENTRICITY, count)
        mean, orientation = rng.uniform(0, 2 * math.pi, (2, count))
        angle = mean + e * np.sin(mean)
        for _ in range(NEWTON):
            angle = angle - (angle - e * np.sin(angle) - mean) / (1 - e * np.cos(angle))
        across = np.sqrt(1 - e**2)
        q = size * np.stack([np.cos(angle) - e, across * np.sin(angle)])
        p = np.stack([-np.sin(angle), across * np.cos(angle)]) / (np.sqrt(size) * (1 - e * np.cos(angle)))
        state = torch.from_numpy(np.stack([q, p]))
        turns = torch.linalg.matrix_exp(torch.from_numpy(orientation)[:, None, None] * orthogonal(2))
        return torch.einsum("bij,ajb->bai", turns, state).reshape(count, 4)

    def oracles(self) -> Mapping[str, Oracle]:
        """`dynamics`: the velocity. `conserved`: energy and spin."""
        return {"dynamics": Attraction(), "conserved": EnergyAndSpin()}

    def truth(self, action: str, law: str) -> Symmetry | None:
        """Rotation, and among fields the motion in time, for both laws and the sample."""
        moves = self.actions().get(action)
        if moves is None or self.resolved(law) not in LAWS:
            return None
        if action == "field":
            return TurnsAndTime(moves)
        return MatrixSymmetry.of(moves, torch.kron(torch.eye(2, dtype=torch.float64), orthogonal(2)[0])[None])
