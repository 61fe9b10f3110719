"""Negative samples: Langevin chains on the decoder's manifold, then off it."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from .autoencoder import JetAutoencoder
from .langevin import langevin

__all__ = ["Chains"]

KEPT = 1000
RENEWED = 0.05
LATENT_STEPS, LATENT_SIZE = 10, 0.05
IMAGE_STEPS, IMAGE_SIZE, IMAGE_COOLING = 5, 0.1, 0.1


class Chains:
    """Samples of the density e^-E of an autoencoder's energy, from where the decoder's images are.

    A chain goes on in latent space, on e^-E(D(z)), from where an earlier one has ended, or 1 in 20 times from a new
    place on the sphere; then in image space from D(z). There the noise is a tenth of what D dimensions would ask for:
    in full it hides what the decoder has drawn, and chains are too short to come to rest.

    Arguments:
        network: whose energy.
        latent: dimension of the latent space.
        count: chains at a time.
        draw: generator of all noise.
    """

    def __init__(self, network: JetAutoencoder, latent: int, count: int, draw: torch.Generator) -> None:
        self.network = network
        self.count = count
        self.draw = draw
        self.kept = self._fresh(KEPT, latent)

    def __call__(self) -> Tensor:
        """Images (count, D)."""
        network = self.network
        chosen = torch.randint(len(self.kept), (self.count,), generator=self.draw).to(self.kept.device)
        new = (torch.rand(self.count, 1, generator=self.draw) < RENEWED).to(self.kept.device)
        z = torch.where(new, self._fresh(self.count, self.kept.shape[1]), self.kept[chosen])
        z = langevin(lambda z: network.energy(network.decode(z)), z, LATENT_STEPS, LATENT_SIZE, 1.0, self.draw, _sphere)
        self.kept[chosen] = z
        with torch.no_grad():
            image = network.decode(z)
        size, temperature = IMAGE_SIZE * network.temperature.item(), IMAGE_COOLING / image.shape[1]
        return langevin(network.energy, image, IMAGE_STEPS, size, temperature, self.draw, _bounded)

    def _fresh(self, count: int, latent: int) -> Tensor:
        return _sphere(torch.randn(count, latent, generator=self.draw)).to(self.network.temperature)


def _sphere(z: Tensor) -> Tensor:
    return F.normalize(z, dim=1)


def _bounded(image: Tensor) -> Tensor:
    return image.clamp(0, 1)
