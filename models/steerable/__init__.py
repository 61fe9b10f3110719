"""Steerable convolutional networks."""

from .layers import Convolution, Gated, Invariants
from .model import Steerable
from .network import SteerableNetwork
from .plane import Plane

__all__ = ["Convolution", "Gated", "Invariants", "Plane", "Steerable", "SteerableNetwork"]
