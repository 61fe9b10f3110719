"""From sparse images to arrays: suppressed, cropped, pooled, scaled."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, kron

from .sparse import Cells, SparseImages

__all__ = ["CRYSTAL", "HCAL", "Preparation", "Scaling"]

CRYSTAL = 0.0174
"""Side of a crystal in eta and phi, radians."""
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
        crop: side of the window about the middle that is kept, in crystals; larger than the image: zeros around it.
        size: side after sum-pooling, in pixels.
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

    def pooling(self, side: int) -> csr_array:
        """The share of each crystal along a side of the image that lies in each pixel of the window: (side, size).

        The window lies about the middle of the image. Where the border of a pixel cuts a crystal, its energy is shared.
        """
        borders = (side - self.crop) / 2 + self.crop / self.size * np.arange(self.size + 1)
        crystals = np.arange(side)[:, None]
        return csr_array((np.minimum(crystals + 1, borders[1:]) - np.maximum(crystals, borders[:-1])).clip(0))

    def shares(self, shape: Sequence[int]) -> csr_array:
        """The share of each cell of an image (C, H, W) in each pooled pixel: (C H W, C' size size)."""
        rows, columns = (self.pooling(side) for side in shape[1:])
        chosen = csr_array(np.eye(shape[0])[:, list(self.channels)])
        return csr_array(kron(chosen, kron(rows, columns)), dtype=np.float32)

    def dense(self, cells: Cells, shape: Sequence[int], shares: csr_array) -> Array:
        """The pooled images (N, C', size, size), float32, not yet scaled, of images of a shape (C, H, W)."""
        value = cells.value
        if self.restore:
            value = value * np.where(cells.cell // math.prod(shape[1:]) == HCAL, np.float32(TOWER), 1)
        value = value * ((np.abs(value) if self.negatives else value) >= self.threshold)
        places = cells.cell.astype(np.int32), cells.offset.astype(np.int32)
        rows = csr_array((value, *places), shape=(len(cells), shares.shape[0]))
        pooled: Array = (rows @ shares).toarray()
        return pooled.reshape(-1, *self.shape)

    def read(self, images: SparseImages, place: Array, out: Array) -> None:
        """Write the prepared image of row i to out[place[i]], (N', C', size, size), for all places that are not -1."""
        shares = self.shares(images.shape)
        for rows, cells in images.blocks():
            kept = place[rows] >= 0
            if kept.any():
                dense = self.dense(cells if kept.all() else cells.where(kept), images.shape, shares)
                out[place[rows][kept]] = scaled(dense, self.scaling)


def scaled(x: Array, scaling: Scaling) -> Array:
    """x, sign(x) sqrt|x| or sign(x) log(1 + |x| / 0.1)."""
    if scaling == "none":
        return x
    size = np.abs(x)
    return np.copysign(np.sqrt(size) if scaling == "sqrt" else np.log1p(size / UNIT), x)
