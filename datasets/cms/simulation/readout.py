"""From energies in cells to what is read out: noise, negative values, zero suppression."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .grid import TOWER

__all__ = ["images"]

Array = NDArray[Any]
ECAL_NOISE, ECAL_THRESHOLD, ECAL_SEED, ECAL_REACH = 0.05, 0.2, 0.85, 2
"""GeV, GeV, GeV, cells: a crystal is kept above the threshold, or within reach of a crystal above the seed."""
HCAL_NOISE, HCAL_DECISION_NOISE, HCAL_THRESHOLD = 0.25, 0.27, 0.72
"""GeV: noise of the energy; noise of the sum on which the front end decides, and its threshold."""


def images(tracks: Array, ecal: Array, hcal: Array, draw: np.random.Generator) -> Array:
    """Images [track pT, ECAL E, HCAL E / 25 on 5x5 crystals], GeV.

    A crystal is read if it is above threshold or near a bright one, where its noise is read as well, negative half the
    time. The front end of the HCAL decides on another sum of samples than the one that gives the energy.

    Arguments:
        tracks, ecal: (J, 125, 125); hcal: (J, 25, 25).

    Returns:
        (J, 3, 125, 125) float32.
    """
    crystals = (ecal + ECAL_NOISE * draw.standard_normal(ecal.shape, np.float32)).astype(np.float32)
    near = _dilated(crystals > ECAL_SEED, ECAL_REACH)
    towers = hcal + HCAL_NOISE * draw.standard_normal(hcal.shape, np.float32)
    read = hcal + HCAL_DECISION_NOISE * draw.standard_normal(hcal.shape, np.float32) > HCAL_THRESHOLD
    made = np.empty((len(ecal), 3, *ecal.shape[1:]), np.float32)
    made[:, 0] = tracks
    made[:, 1] = np.where(near | (crystals > ECAL_THRESHOLD), crystals, 0)
    made[:, 2] = np.where(read, towers, 0).repeat(TOWER, 1).repeat(TOWER, 2) / TOWER**2
    return made


def _dilated(mask: Array, reach: int) -> Array:
    """A mask (J, H, W) widened by some cells to all sides, in squares."""
    for axis in (1, 2):
        wide = mask.copy()
        for step in range(1, reach + 1):
            ahead = [slice(None)] * 3
            behind = [slice(None)] * 3
            ahead[axis], behind[axis] = slice(step, None), slice(None, -step)
            wide[tuple(ahead)] |= mask[tuple(behind)]
            wide[tuple(behind)] |= mask[tuple(ahead)]
        mask = wide
    return mask
