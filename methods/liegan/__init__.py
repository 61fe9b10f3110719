"""LieGAN: symmetries of a distribution, found against a discriminator; LaLiGAN: in coordinates found with them."""

from .latent import LaLiGAN, LatentGenerators
from .method import LieGAN

__all__ = ["LaLiGAN", "LatentGenerators", "LieGAN"]
