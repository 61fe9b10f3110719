"""LieGAN: symmetries of a distribution, found against a discriminator."""

from .method import LieGAN

__all__ = ["LieGAN"]
