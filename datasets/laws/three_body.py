"""Three bodies: close to the triangle of Lagrange, or anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from ._algebras import orthogonal
from ._bodies import Bodies
from ._gravity import energy, perpendicular
from ._law import one_of

__all__ = ["ThreeBody"]

RADIUS = (0.9, 1.2)
NOISE = 0.05
EXTENT, APART, SPEED, EXACT = 1.5, 0.7, 0.5, 1e-8


@dataclass(frozen=True)
class ThreeBody(Bodies):
    """Three bodies about their centre of mass.

    circular: an equilateral triangle, 0.9 to 1.2 from its centre, whose circular speed is 3^(-1/4) / sqrt r; all
    components of q and p are off by normal numbers of 5 % of r and of the speed. general: each anywhere in a square of
    side 3, 0.7 apart at least, with normal momenta of deviation 0.5; without the encounters in which the step would not
    conserve the energy to 1e-8.

    Arguments:
        orbit: circular, or general.
    """

    orbit: Literal["circular", "general"] = "general"

    paper: ClassVar[str] = "https://arxiv.org/abs/1906.01563"
    bodies: ClassVar[int] = 3
    pace: ClassVar[int] = 60

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("orbit", self.orbit, ("circular", "general"))

    def orbits(self, count: int, rng: np.random.Generator) -> Tensor:
        if self.orbit == "circular":
            return _centred(_triangles(count, rng))
        step = self.step()
        kept = torch.empty(0, 3, 2, 2, dtype=torch.float64)
        while len(kept) < count:
            states = _centred(_anywhere(count, rng))
            x = states.flatten(1)
            kept = torch.cat([kept, states[(energy(step(x)) - energy(x)).abs() < EXACT]])
        return _from_axis(kept[:count])


def _centred(states: Tensor) -> Tensor:
    return states - states.mean(1, keepdim=True)


def _triangles(count: int, rng: np.random.Generator) -> Tensor:
    radius = torch.from_numpy(rng.uniform(*RADIUS, (count, 1, 1)))
    thirds = torch.linalg.matrix_exp(2 * torch.pi / 3 * torch.arange(3)[:, None, None] * orthogonal(2))
    q = radius * thirds[:, :, 0]
    p = perpendicular(q) / (3**0.25 * radius**1.5)
    off_q, off_p = torch.from_numpy(NOISE * rng.standard_normal((2, count, 3, 2)))
    return torch.stack([q + off_q * radius, p + off_p / (3**0.25 * radius.sqrt())], 2)


def _anywhere(count: int, rng: np.random.Generator) -> Tensor:
    q = torch.from_numpy(rng.uniform(-EXTENT, EXTENT, (count, 3, 2)))
    p = torch.from_numpy(SPEED * rng.standard_normal((count, 3, 2)))
    apart = ((q - q.roll(1, 1)).norm(dim=-1) >= APART).all(1)
    return torch.stack([q, p], 2)[apart]


def _from_axis(states: Tensor) -> Tensor:
    """The states turned until the first body is at the angle 0."""
    axis = states[:, 0, 0] / states[:, 0, 0].norm(dim=1, keepdim=True)
    frame = torch.stack([axis, perpendicular(axis)], 1)
    return torch.einsum("bij,bnaj->bnai", frame, states)
