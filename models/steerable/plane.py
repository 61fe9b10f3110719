"""A group of the plane, the features that a network has under it, and the kernels between them, which are escnn's."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor

from ._escnn import escnn

__all__ = ["FREQUENCY", "Plane"]

FREQUENCY = 2


class Plane:
    """C_n, D_n or SO(2), and the field that features are copies of.

    The group permutes the n or 2 n components of a regular field of C_n or D_n. A field of SO(2) is the sum of the
    irreps 0, 1, 2, of sizes 1, 2, 2 (harmonic networks, Worrall et al., arXiv:1612.04642).

    Arguments:
        group: C4, C8, D4, D8 or SO2. BenchError if escnn is missing.

    Attributes:
        size: of the field.
        regular: whether the field is.
    """

    def __init__(self, group: str) -> None:
        spaces = escnn().gspaces
        self.regular = group != "SO2"
        self.space: Any
        if self.regular:
            of = {"C": spaces.rot2dOnR2, "D": spaces.flipRot2dOnR2}[group[0]]
            self.space = of(int(group[1:]))
            self.field = self.space.regular_repr
        else:
            self.space = spaces.rot2dOnR2(-1, maximum_frequency=2 * FREQUENCY)
            self.field = self.space.fibergroup.bl_regular_representation(FREQUENCY)
        self.size: int = self.field.size

    def copies(self, channels: float) -> int:
        """How many fields have about so many channels."""
        return max(1, math.floor(channels / self.size + 0.5))

    def invariant(self) -> Tensor:
        """What the group leaves of a field: all components alike, or the first; (size,)."""
        return torch.ones(self.size) if self.regular else torch.eye(self.size)[0]

    def kernels(self, side: int, scalar: bool = False) -> Tensor:
        """A basis of the equivariant kernels from field to field, (d, size, size, side, side).

        Arguments:
            scalar: from a scalar to a field, (d, size, 1, side, side).
        """
        layers = escnn().nn
        source = self.space.trivial_repr if scalar else self.field
        into, out = (layers.FieldType(self.space, [field]) for field in (source, self.field))
        (basis,) = layers.R2Conv(into, out, side, initialize=False).basisexpansion.buffers()
        kernels: Tensor = basis.reshape(*basis.shape[:3], side, side).clone()
        return kernels
