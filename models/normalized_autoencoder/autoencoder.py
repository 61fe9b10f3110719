"""The autoencoder of jet images."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.oracles.kinematics import fractions

from .._plane import in_plane

__all__ = ["JetAutoencoder", "jet_image"]

REACH = 0.8
FAINT, TINY = 1e-6, 1e-12


def jet_image(p: Tensor, side: int, power: float) -> Tensor:
    """The share of pT in each pixel of the plane of rapidity and azimuth, to a power: (B, N, 4) -> (B, side^2).

    The jet's centre of pT is in the middle, its principal axis upright, its heavier tail up and right. Each constituent
    is a Gaussian of a pixel's width, so that the image has derivatives. The brightest pixel is 1.

    Arguments:
        p: constituents E, px, py, pz.
        side: pixels between -0.8 and 0.8.
        power: under 1, it lifts what is faint.
    """
    jets = in_plane(p)
    share = fractions(jets[..., 0])
    across, along = _upright(share, jets[..., 1], jets[..., 2])
    centres = torch.linspace(-REACH, REACH, side, dtype=p.dtype, device=p.device)
    width = 2 * REACH / (side - 1)
    rows, columns = (torch.exp(-0.5 * ((place[..., None] - centres) / width) ** 2) for place in (along, across))
    image = torch.einsum("bn,bnr,bnc->brc", share, rows, columns).flatten(1)
    return (image / image.amax(1, keepdim=True).clamp(min=TINY) + FAINT) ** power


def _upright(share: Tensor, y: Tensor, phi: Tensor) -> tuple[Tensor, Tensor]:
    """Coordinates across and along the principal axis, (B, N), whose third moments are not negative."""
    yy, pp, yp = ((share * product).sum(1, keepdim=True) for product in (y * y, phi * phi, y * phi))
    angle = torch.atan2(2 * yp, yy - pp) / 2
    along, across = angle.cos() * y + angle.sin() * phi, angle.cos() * phi - angle.sin() * y
    flipped = [torch.where((share * a**3).sum(1, keepdim=True) < 0, -a, a) for a in (across, along)]
    return flipped[0], flipped[1]


class JetAutoencoder(nn.Module):
    """E(x) = |I - D(E(I))|^2 / (2 T), I the jet's image, the latent vector on the unit sphere.

    Arguments:
        side, power: of the image.
        width: of the hidden layers.
        latent: dimension of the latent space.

    Attributes:
        temperature: T, in the image's units.
    """

    def __init__(self, side: int, power: float, width: int, latent: int) -> None:
        super().__init__()
        self.side = side
        self.power = power
        pixels = side * side
        self.encoder = nn.Sequential(
            nn.Linear(pixels, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, latent)
        )
        self.decoder = nn.Sequential(
            nn.Linear(latent, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, pixels)
        )
        self.temperature: Tensor
        self.register_buffer("temperature", torch.ones(()))

    def forward(self, p: Tensor) -> Tensor:
        return self.energy(self.image(p)).to(p)

    def image(self, p: Tensor) -> Tensor:
        return jet_image(p, self.side, self.power).to(self.temperature.dtype)

    def energy(self, image: Tensor) -> Tensor:
        """(B, side^2) -> (B,)."""
        return (image - self.decode(self.encode(image))).square().sum(1) / (2 * self.temperature)

    def encode(self, image: Tensor) -> Tensor:
        """A point on the unit sphere, (B, latent)."""
        return F.normalize(self.encoder(image), dim=1)

    def decode(self, z: Tensor) -> Tensor:
        """An image with pixels between 0 and 1, (B, side^2)."""
        return torch.sigmoid(self.decoder(z))
