"""Equivariant MLP for any matrix generators and finite elements."""

from .group import Group, closure_noise, nearest_algebra
from .layers import Bilinear, Gated, Linear
from .model import EMLP
from .network import EquivariantMLP, hidden_representation
from .solver import invariants, residual
from .tensors import Representation, T, equivariant_maps

__all__ = [
    "EMLP", "Bilinear", "EquivariantMLP", "Gated", "Group", "Linear", "Representation", "T", "closure_noise",
    "equivariant_maps", "hidden_representation", "invariants", "nearest_algebra", "residual",
]  # fmt: skip
