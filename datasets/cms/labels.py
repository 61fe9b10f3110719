"""Which label is the quark: published descriptions contradict each other, the jets do not.

A gluon carries more colour charge (C_A / C_F = 9/4): its jet has more particles and is wider. See ATLAS,
arXiv:1405.6583, and CMS, JME-16-003.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError

from .images import CRYSTAL
from .sparse import Cells

__all__ = ["Orientation", "extent", "orientation"]

CONE = 0.4
SURE = 5.0
PART = 2000
HINT = "say which label is the quark, as in --set dataset.quark=1"
Array = NDArray[Any]


@dataclass(frozen=True)
class Orientation:
    """Which label the quark has, and how sure that is.

    Arguments:
        quark: 0 or 1.
        cells, width: standard errors by which the other label's jets have more cells and are wider.
    """

    quark: int
    cells: float
    width: float

    def __str__(self) -> str:
        return (
            f"the file's label {self.quark} is the quark: jets with label {1 - self.quark} have more cells "
            f"({self.cells:.0f} standard errors) and are wider ({self.width:.0f})"
        )


def extent(cells: Cells, shape: tuple[int, ...]) -> Array:
    """Number of cells within R = 0.4 of the middle and the mean distance of their energy from it, (N, 2).

    Negative pixels are noise and count in neither.
    """
    reach = _distances(shape)[cells.cell]
    inside = (reach < CONE) & (cells.value > 0)
    image = cells.image()[inside]
    number, energy, moment = (
        np.bincount(image, weight, len(cells))
        for weight in (None, cells.value[inside], cells.value[inside] * reach[inside])
    )
    return np.stack([number, moment / np.maximum(energy, 1e-9)], 1)


@cache
def _distances(shape: tuple[int, ...]) -> Array:
    """The distance in (eta, phi) of each cell from the middle, (C H W,)."""
    channels, height, width = shape
    row, column = np.mgrid[:height, :width]
    distance = np.hypot(row - (height - 1) / 2, column - (width - 1) / 2) * CRYSTAL
    return np.tile(distance.reshape(-1), channels)


def orientation(path: Path, extents: Array, y: Array, pt: Array) -> Orientation:
    """Which label is the quark, from the jets' extents (N, 2), labels 0 and 1 (N,) and pT (N,).

    The parts of a file that are long enough are judged one by one as well.

    Raises:
        BenchError: the extents do not tell, contradict each other, or a part of the file contradicts another.
    """
    cells, width = _separation(extents, y, pt)
    if min(abs(cells), abs(width)) < SURE or cells * width < 0:
        raise BenchError(
            f"{path}: cannot tell which label is the quark: jets with label 1 have more cells by {cells:.1f} and are "
            f"wider by {width:.1f} standard errors; expected both beyond {SURE:g} with the same sign",
            HINT,
        )
    found = Orientation(0 if cells > 0 else 1, abs(cells), abs(width))
    for part in np.array_split(np.arange(len(y)), max(1, len(y) // PART)):
        here = _separation(extents[part], y[part], pt[part])
        if max(np.sign(cells) * here) < -SURE:
            raise BenchError(
                f"{path}: mixed label conventions: label {found.quark} is the quark in most of the file, but not in "
                f"rows {part[0]} to {part[-1]}; expected one convention",
                "the file was put together from two; use them one by one",
            )
    return found


def _separation(extents: Array, y: Array, pt: Array) -> Array:
    """How much larger the extents of label 1 are than those of label 0 at equal pT, in standard errors, (2,)."""
    one = y == 1
    if min(one.sum(), (~one).sum()) < 2:
        return np.zeros(2)
    trend = np.log(pt) if np.all(np.isfinite(pt) & (pt > 0)) else np.zeros(len(y))
    design = np.stack([np.ones(len(y)), trend - trend.mean(), one], 1)
    covariance = np.linalg.pinv(design.T @ design)
    slope = covariance @ design.T @ extents
    spread = (extents - design @ slope).std(0)
    return np.asarray(slope[2] / np.maximum(spread * np.sqrt(covariance[2, 2]), 1e-30))
