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

    def tables(self, shape: Sequence[int]) -> tuple[Array, Array]:
        """For each cell of an image (C, H, W) the pooled pixel that it goes to, and its weight, 0 if it is left out."""
        rows, columns = (self._axis(side) for side in shape[1:])
        inside = (rows[:, None] >= 0) & (columns >= 0)
        plane = np.where(inside, rows[:, None] * self.size + columns, 0)
        pixel = np.zeros((shape[0], *plane.shape), np.int32)
        weight = np.zeros_like(pixel, np.float32)
        for place, channel in enumerate(self.channels):
            pixel[channel] = place * self.size**2 + plane
            weight[channel] = inside * (TOWER if self.restore and channel == HCAL else 1)
        return pixel.reshape(-1), weight.reshape(-1)

    def _axis(self, side: int) -> Array:
        """The pooled coordinate of each crystal along a side of the image; -1 outside the crop."""
        place = np.arange(side) - (side - self.crop) // 2
        return np.where((place >= 0) & (place < self.crop), place // (self.crop // self.size), -1)

    def dense(self, cells: Cells, tables: tuple[Array, Array]) -> Array:
        """The pooled images (N, C, size, size), float32, not yet scaled."""
        pixel, weight = tables
        value = cells.value * weight[cells.cell]
        value[(np.abs(value) if self.negatives else value) < self.threshold] = 0
        shape = (len(cells), len(self.channels) * self.size**2)
        rows = csr_array((value, pixel[cells.cell], cells.offset.astype(np.int32)), shape=shape)
        return np.asarray(rows.toarray(), np.float32).reshape(-1, *self.shape)

    def read(self, images: SparseImages, place: Array, out: Array) -> None:
        """Write the prepared image of row i to out[place[i]], (N', C, size, size), for all places that are not -1."""
        tables = self.tables(images.shape)
        for rows, cells in images.blocks():
            kept = place[rows] >= 0
            if kept.any():
                dense = self.dense(cells if kept.all() else cells.where(kept), tables)
                out[place[rows][kept]] = scaled(dense, self.scaling)


def scaled(x: Array, scaling: Scaling) -> Array:
    """x, sign(x) sqrt|x| or sign(x) log(1 + |x| / 0.1)."""
    if scaling == "none":
        return x
    size = np.abs(x)
    return np.copysign(np.sqrt(size) if scaling == "sqrt" else np.log1p(size / UNIT), x)
