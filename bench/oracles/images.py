"""Oracles on images of jets: (B, C, H, W) in GeV, rows along eta, columns along phi, centred on the jet.

They see a disc, whole up to 4/5 of the image's inscribed circle and fading to nothing at the circle: what a rotation
moves past the edge of a square image must not count. Sums are linear in the pixels, so that negative noise cancels and
interpolation, which keeps sums and not squares, does no harm.
"""

from __future__ import annotations

import torch
from torch import Tensor

from bench.contracts.actions import ImageAffine
from bench.oracles.invariances import REFLECTIONS, PhysicsOracle, Transformation
from bench.oracles.kinematics import root

__all__ = ["CellMass", "EnergyProfile", "ImageGirth", "TransverseEnergy"]

DISC = REFLECTIONS | frozenset[Transformation]({"quarter_turn", "in_plane_rotation"})
WHOLE = 0.8
FLOOR = 1.0


class TransverseEnergy(PhysicsOracle):
    """Sum of each channel's pixels in the disc, in GeV: (B, C)."""

    invariances = DISC

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("bchw,hw->bc", x, _window(x))


class ImageGirth(PhysicsOracle):
    """g = S E / (E^2 + 1 GeV^2), E = sum_p x(p), S = sum_p x(p) |p|, over disc and channels: (B, 1).

    That is S / E, with an end where there is no energy. |p| is in units of the inscribed circle's radius, from the
    image's centre, rounded off within the innermost pixel.
    """

    invariances = DISC

    def forward(self, x: Tensor) -> Tensor:
        window, radius = _window(x), _radius(x)
        pixel = 2 / min(x.shape[-2:])
        inside = x.sum(1) * window
        energy = inside.sum((1, 2))
        spread = (inside * (radius.square() + pixel**2).sqrt()).sum((1, 2))
        return (spread * energy / (energy.square() + FLOOR**2))[:, None]


class EnergyProfile(PhysicsOracle):
    """The mean of each channel's pixels over rings w_k(|p|) in the disc, Gaussians of unit sum, in GeV: (B, C rings).

    `RadialProfile` with power 1, of the disc and in double precision where the image is.

    Arguments:
        rings: how many, at equal distances from the centre to the inscribed circle, as wide as they are apart.
    """

    invariances = DISC

    def __init__(self, rings: int = 8) -> None:
        super().__init__()
        self.rings = rings

    def forward(self, x: Tensor) -> Tensor:
        centres = torch.arange(self.rings, dtype=x.dtype, device=x.device)[:, None, None]
        weights = torch.exp(-0.5 * (_radius(x) * self.rings - centres) ** 2) * _window(x)
        means = torch.einsum("bchw,khw->bck", x, weights / weights.sum((1, 2), keepdim=True))
        return means.flatten(1)


class CellMass(PhysicsOracle):
    """m = sqrt(P . P) in GeV, P the sum of the disc's pixels as massless four-vectors: (B, 1).

    A pixel of transverse energy x at (eta, phi) from the centre has (E, px, py, pz) = x (cosh eta, cos phi, sin phi,
    sinh eta). For small angles m^2 = sum_ij x_i x_j dR_ij^2 / 2, which rotations keep; cosh eta and cos phi differ.

    Arguments:
        cell: side of a pixel in eta and phi; of one crystal of the CMS barrel, 0.0174.
    """

    invariances = REFLECTIONS

    def __init__(self, cell: float) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, x: Tensor) -> Tensor:
        height, width = x.shape[-2:]
        grid = ImageAffine(x.shape[1:]).grid(x)
        eta, phi = grid[..., 1] * (height * self.cell / 2), grid[..., 0] * (width * self.cell / 2)
        weights = torch.stack([eta.cosh(), phi.cos(), phi.sin(), eta.sinh()]) * _window(x)
        E, px, py, pz = torch.einsum("bchw,dhw->db", x, weights)
        square = E.square() - px.square() - py.square() - pz.square()
        return (torch.sign(square) * root(square.abs()))[:, None]


def _radius(x: Tensor) -> Tensor:
    """Distance of each pixel from the centre, 1 at the inscribed circle: (H, W)."""
    height, width = x.shape[-2:]
    column, row, _ = ImageAffine(x.shape[1:]).grid(x).unbind(-1)
    return torch.hypot(column * width, row * height) / min(height, width)


def _window(x: Tensor) -> Tensor:
    """1 up to 4/5 of the radius, 0 from the radius on, with two derivatives: (H, W)."""
    s = ((1 - _radius(x)) / (1 - WHOLE)).clamp(0, 1)
    return s**3 * (10 - 15 * s + 6 * s**2)
