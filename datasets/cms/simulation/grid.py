"""The calorimeter's grid: deposits shared among cells, and windows around jets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from .response import Deposits

__all__ = [
    "COLUMNS", "PHI_STEP", "ROWS", "SHARES", "SIDE", "STEP", "TOWER", "Hits", "Share", "around", "spread", "tower_map",
]  # fmt: skip

Array = NDArray[Any]
TOWER = 5
ROWS, COLUMNS = 280, 360
SIDE = 125
STEP, PHI_STEP = 0.0174, 2 * np.pi / COLUMNS
"""Crystals in a tower's side; crystals of the grid in eta and phi, of a window; size of a crystal in eta and phi."""


@dataclass(frozen=True)
class Share:
    """How a deposit is shared: a mixture of round Gaussians over the (2 reach + 1)^2 cells around it.

    Arguments:
        weights: of the Gaussians, sum 1.
        widths: their standard deviations in cells.
        reach: in cells; what would fall outside is given to the cells inside.
        tower: crystals in the side of a cell.
    """

    weights: tuple[float, ...]
    widths: tuple[float, ...]
    reach: int
    tower: int = 1


SHARES = {
    "photons": Share((0.88, 0.12), (0.32, 1.3), 2),
    "hadrons": Share((0.6, 0.4), (0.5, 1.6), 2),
    "hcal": Share((0.85, 0.15), (0.15, 0.5), 1, TOWER),
}


@dataclass(frozen=True)
class Hits:
    """Energies in cells (crystals or towers): event, row (eta), column (phi), energy, each (M,)."""

    event: Array
    row: Array
    column: Array
    energy: Array

    def __getitem__(self, chosen: Array) -> Hits:
        return Hits(self.event[chosen], self.row[chosen], self.column[chosen], self.energy[chosen])


def spread(deposits: Deposits, share: Share | None = None, tower: int = 1) -> Hits:
    """Deposits as hits in cells; the energy of every deposit on the grid is kept.

    Arguments:
        share: among which cells; None: all in the cell that is hit.
        tower: crystals in the side of a cell, where there is no share.
    """
    tower = share.tower if share else tower
    across = deposits.eta / (STEP * tower) + ROWS / tower / 2
    along = deposits.phi / (PHI_STEP * tower)
    row, column = np.floor(across).astype(np.int64), np.floor(along).astype(np.int64)
    event, energy = deposits.event, deposits.energy
    if share:
        steps = np.arange(-share.reach, share.reach + 1)
        x, y = across - row, along - column
        part = sum(
            weight * _masses(x, width, steps)[:, :, None] * _masses(y, width, steps)[:, None, :]
            for weight, width in zip(share.weights, share.widths, strict=True)
        )
        part = np.asarray(part) / np.sum(part, (1, 2), keepdims=True)
        cells = len(steps) ** 2
        event = np.repeat(event, cells)
        energy = (energy[:, None, None] * part).reshape(-1)
        row = (row[:, None, None] + steps[:, None] + 0 * steps).reshape(-1)
        column = (column[:, None, None] + 0 * steps[:, None] + steps).reshape(-1)
    inside = (row >= 0) & (row < ROWS // tower)
    return Hits(event, row, np.mod(column, COLUMNS // tower), energy)[inside]


def _masses(place: Array, width: float, steps: Array) -> Array:
    """What a Gaussian at a place within its cell, in units of it, leaves in the cells at some steps: (D, steps)."""
    edges = np.append(steps, steps[-1] + 1)
    return np.diff(ndtr((edges - place[:, None]) / width), axis=1)


def tower_map(hits: Hits, events: int) -> Array:
    """Tower hits as maps (events, 56, 72)."""
    shape = (events, ROWS // TOWER, COLUMNS // TOWER)
    flat = (hits.event * shape[1] + hits.row) * shape[2] + hits.column
    return np.bincount(flat, hits.energy, int(np.prod(shape))).reshape(shape)


def around(hits: Hits, jet: Array, seed_row: Array, seed_column: Array, tower: int = 1) -> Array:
    """The hits of each jet's event in the window around its seed, summed per cell: (J, side, side).

    Arguments:
        jet: the jet of an event, -1: none, (events,).
        seed_row, seed_column: seed tower of each jet, (J,).
        tower: crystals in the side of a cell of the hits.
    """
    side = SIDE // tower
    width = COLUMNS // tower
    middle = TOWER // tower // 2
    of = jet[hits.event]
    hits, of = hits[of >= 0], of[of >= 0]
    row = hits.row - (seed_row[of] * (TOWER // tower) + middle) + side // 2
    column = np.mod(hits.column - (seed_column[of] * (TOWER // tower) + middle) + side // 2, width)
    inside = (row >= 0) & (row < side) & (column < side)
    flat = (of[inside] * side + row[inside]) * side + column[inside]
    return np.bincount(flat, hits.energy[inside], len(seed_row) * side**2).reshape(-1, side, side)
