"""Two bodies on near-circular orbits about each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from ._bodies import Bodies
from ._gravity import perpendicular

__all__ = ["TwoBody"]

RADIUS = (0.5, 1.5)
NOISE = 0.05


@dataclass(frozen=True)
class TwoBody(Bodies):
    """Two bodies about their centre of mass, 0.5 to 1.5 from it, in the same sense, at 5 % from circular orbits.

    A circular orbit of radius r has the speed 1 / (2 sqrt r); both components of the velocity are off by normal numbers
    of 5 % of it.
    """

    paper: ClassVar[str] = "https://arxiv.org/abs/1906.01563"
    bodies: ClassVar[int] = 2
    pace: ClassVar[int] = 40

    def orbits(self, count: int, rng: np.random.Generator) -> Tensor:
        radius = torch.from_numpy(rng.uniform(*RADIUS, count))
        along, outwards = torch.from_numpy(NOISE * rng.standard_normal((2, count)))
        q = torch.stack([radius, torch.zeros_like(radius)], 1)
        p = ((1 + along)[:, None] * perpendicular(q) + outwards[:, None] * q) / (2 * radius[:, None] ** 1.5)
        state = torch.stack([q, p], 1)
        return torch.stack([state, -state], 1)
