"""Jets in the plane of rapidity and azimuth."""

from __future__ import annotations

import torch
from torch import Tensor

from bench.oracles.kinematics import Cylinder, fractions

__all__ = ["in_plane"]


def in_plane(p: Tensor) -> Tensor:
    """(pT, y, phi) of each constituent, y and phi less their means with weights pT: (B, N, 4) -> (B, N, 3).

    A constituent (0, 0, 0, 0), which stands for none, becomes (0, 0, 0).
    """
    at = Cylinder.of(p)
    place = torch.stack([at.rapidity, at.azimuth], -1)
    place = place - (fractions(at.pt)[..., None] * place).sum(1, keepdim=True)
    return torch.cat([at.pt[..., None], torch.where(at.pt[..., None] > 0, place, 0.0)], -1)
