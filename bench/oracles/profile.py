"""The radial profile of an image."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from bench.contracts.actions import ImageAffine
from bench.contracts.oracle import Oracle

__all__ = ["RadialProfile"]


class RadialProfile(Oracle):
    """phi_k(x) = sum_p w_k(|p|) x(p), Gaussian rings w_k of unit sum, in each channel: (B, C rings).

    Rotations about the centre keep it, and translations and dilations do not. The rings overlap: hard bins would make
    phi jump whenever a pixel's centre changes its bin.

    Arguments:
        shape: (C, H, W).
        rings: how many, at equally spaced radii from 0 to the inscribed circle, one spacing wide.
    """

    def __init__(self, shape: Sequence[int], rings: int = 8) -> None:
        super().__init__()
        self.components = shape[0] * rings
        self.weights: Tensor
        radius = ImageAffine(shape).grid(torch.zeros(()))[..., :2].norm(dim=-1)
        centres = torch.linspace(0, 1, rings)[:, None, None]
        weights = torch.exp(-0.5 * ((radius - centres) * (rings - 1)) ** 2)
        self.register_buffer("weights", weights / weights.sum((1, 2), keepdim=True))

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("khw,bchw->bck", self.weights, x).flatten(1)
