"""The radial profile of an image."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from bench.contracts.actions import ImageAffine
from bench.contracts.oracle import Oracle

__all__ = ["RadialProfile"]


class RadialProfile(Oracle):
    """phi_kq(x) = sum_p w_k(|p|) x(p)^q, Gaussian rings w_k of unit sum, in each channel: (B, powers C rings).

    Rotations about the centre keep it, and translations and dilations do not. The rings overlap: hard bins would make
    phi jump whenever a pixel's centre changes its bin, and rings thinner than a pixel would see the grid.

    Arguments:
        shape: (C, H, W).
        spacing: distance of neighbouring rings and width of each, in pixels; from 0 to the inscribed circle.
        powers: the exponents q; 1 is the profile proper, 2 adds how uneven the rings are.
    """

    def __init__(self, shape: Sequence[int], spacing: float = 1.25, powers: Sequence[int] = (1, 2)) -> None:
        super().__init__()
        side = min(shape[-2:])
        rings = 1 + math.floor(side / 2 / spacing)
        self.powers = tuple(powers)
        self.components = len(self.powers) * shape[0] * rings
        self.weights: Tensor
        radius = ImageAffine(shape).grid(torch.zeros(()))[..., :2].norm(dim=-1) * side / 2
        centres = spacing * torch.arange(rings)[:, None, None]
        weights = torch.exp(-0.5 * ((radius - centres) / spacing) ** 2)
        self.register_buffer("weights", weights / weights.sum((1, 2), keepdim=True))

    def forward(self, x: Tensor) -> Tensor:
        moments = torch.cat([x**power for power in self.powers], 1)
        return torch.einsum("khw,bchw->bck", self.weights, moments).flatten(1)
