"""Latent flow: fields along which the oracle stays the same, after arXiv:2302.00806."""

from .fields import NeuralFields
from .method import LatentFlow
from .tangent import TangentFields
from .warped import WarpedGenerators

__all__ = ["LatentFlow", "NeuralFields", "TangentFields", "WarpedGenerators"]
