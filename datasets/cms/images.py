"""From sparse images to arrays: suppressed, cropped, pooled, scaled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from .sparse import Cells, SparseImages

__all__ = ["HCAL", "Preparation", "Scaling"]

HCAL = 2
"""The channel of hadronic towers, each on 5 x 5 crystals with a 25th of its energy."""
TOWER = 25
UNIT = 0.1
Scaling = Literal["none", "sqrt", "log"]
Array = NDArray[Any]


@dataclass(frozen=True)
class Preparation:
    """What is done to images before anything sees them, in the order of the arguments.

    Arguments:
        channels: which are kept, in this order.
        restore: multiply HCAL by 25, so that every crystal shows its whole tower.
        threshold: pixels nearer to zero than this, in GeV, become zero.
        negatives: whether pixels below zero stay.
        crop: side of the middle part that is kept, in crystals; larger than the image: zeros around it.
        size: side after sum-pooling.
        scaling: of a pooled pixel E: none, sign(E) sqrt|E|, or sign(E) log(1 + |E| / 0.1 GeV).
    """

    channels: tuple[int, ...]
    restore: bool
    threshold: float
    negatives: bool
    crop: int
    size: int
    scaling: Scaling

    @property
    def shape(self) -> tuple[int, int, int]:
        return len(self.channels), self.size, self.size

    def target(self, shape: Sequence[int]) -> Array:
        """The pooled pixel of each cell of an image (C, H, W); C size^2 for those that are left out."""
        rows, columns = (self._axis(side) for side in shape[1:])
        inside = (rows[:, None] >= 0) & (columns >= 0)
        plane = np.where(inside, rows[:, None] * self.size + columns, -1)
        nowhere = len(self.channels) * self.size**2
        table = np.full((shape[0], *plane.shape), nowhere, np.int32)
        for place, channel in enumerate(self.channels):
            table[channel] = np.where(inside, place * self.size**2 + plane, nowhere)
        return table.reshape(-1)

    def _axis(self, side: int) -> Array:
        """The pooled coordinate of each crystal along a side of the image; -1 outside the crop."""
        place = np.arange(side) - (side - self.crop) // 2
        return np.where((place >= 0) & (place < self.crop), place // (self.crop // self.size), -1)

    def dense(self, cells: Cells, shape: Sequence[int], target: Array) -> Array:
        """The pooled images (N, C, size, size), float32, not yet scaled."""
        value = cells.value.astype(np.float32)
        if self.restore and shape[0] > HCAL:
            plane = shape[1] * shape[2]
            value[(cells.cell >= HCAL * plane) & (cells.cell < (HCAL + 1) * plane)] *= TOWER
        size = np.abs(value) if self.negatives else value
        value[size < self.threshold] = 0
        pixels = len(self.channels) * self.size**2
        rows = csr_array((value, target[cells.cell], cells.offset), shape=(len(cells), pixels + 1)).toarray()
        return np.ascontiguousarray(rows[:, :pixels]).reshape(-1, *self.shape)

    def read(self, images: SparseImages, place: Array, out: Array) -> None:
        """Write the prepared image of row i to out[place[i]], (N', C, size, size), for all places that are not -1."""
        target = self.target(images.shape)
        for rows, cells in images.blocks():
            kept = place[rows] >= 0
            if kept.any():
                dense = self.dense(cells if kept.all() else cells.where(kept), images.shape, target)
                out[place[rows][kept]] = scaled(dense, self.scaling)


def scaled(x: Array, scaling: Scaling) -> Array:
    """x, sign(x) sqrt|x| or sign(x) log(1 + |x| / 0.1)."""
    if scaling == "none":
        return x
    size = np.abs(x)
    return np.copysign(np.sqrt(size) if scaling == "sqrt" else np.log1p(size / UNIT), x)
