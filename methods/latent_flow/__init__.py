"""Latent flow: fields along which the oracle stays the same, after arXiv:2302.00806."""

from .fields import NeuralFields
from .method import LatentFlow
from .projected import ProjectedGenerators
from .warped import WarpedGenerators

__all__ = ["LatentFlow", "NeuralFields", "ProjectedGenerators", "WarpedGenerators"]
