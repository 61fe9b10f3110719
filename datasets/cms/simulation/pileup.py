"""Pile-up: minimum-bias collisions laid over a jet, drawn from a pool that is simulated once per process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._simulation.generator import Generator
from .grid import COLUMNS, ROWS, SHARES, SIDE, TOWER, Hits, spread
from .response import detect

__all__ = ["PileUp"]

Array = NDArray[Any]
SETTINGS = ("Beams:eCM = 8000.", "SoftQCD:nonDiffractive = on")
NON_DIFFRACTIVE = 0.70
"""Share of the inelastic collisions that are not diffractive at 8 TeV in Pythia; the others leave little."""
FAINTEST = 1e-3
"""GeV; what a pool collision leaves in a cell below this is dropped."""


@dataclass(frozen=True)
class _Layer:
    """The hits of all pool collisions in one kind of cells, by collision and column; the columns go round 1.4 times."""

    key: Array
    row: Array
    energy: Array
    tower: int

    @property
    def width(self) -> int:
        return (COLUMNS + SIDE) // self.tower

    def window(self, count: int, image: Array, collision: Array, column: Array, row: Array, flip: Array) -> Array:
        """What collisions leave in images: (count, side, side).

        Arguments:
            image, collision, column, row, flip: which image each collision is laid over, which one it is, the first
                column and row of the window in it (in towers), and whether it is reflected in eta.
        """
        side = SIDE // self.tower
        per = TOWER // self.tower
        first = np.searchsorted(self.key, collision * self.width + column * per)
        last = np.searchsorted(self.key, collision * self.width + column * per + side)
        number = last - first
        which = np.repeat(np.arange(len(collision)), number)
        hit = np.arange(len(which)) - np.repeat(np.cumsum(number) - number - first, number)
        seen = np.where(flip[which], ROWS // self.tower - 1 - self.row[hit], self.row[hit]) - per * row[which]
        inside = (seen >= 0) & (seen < side)
        hit, which, seen = hit[inside], which[inside], seen[inside]
        place = self.key[hit] - collision[which] * self.width - per * column[which]
        flat = (image[which] * side + seen) * side + place
        return np.bincount(flat, self.energy[hit], count * side**2).reshape(count, side, side)


class PileUp:
    """A pool of minimum-bias collisions.

    Arguments:
        mean: mean number of inelastic collisions laid over an image.
        seed: of the pool.
        size: collisions in the pool.
    """

    def __init__(self, mean: float, seed: int, size: int = 500) -> None:
        self.mean = mean
        self.size = size
        if mean == 0:
            return
        generator = Generator(SETTINGS)
        generator.seed(seed)
        particles, _ = generator.events(size)
        found = detect(particles, size, np.random.default_rng(seed))
        ecal = [spread(getattr(found, name), SHARES[name]) for name in ("photons", "hadrons")]
        self._layers = {
            "tracks": _layer([spread(found.tracks)], 1),
            "ecal": _layer(ecal, 1),
            "hcal": _layer([spread(found.hcal, SHARES["hcal"])], TOWER),
        }

    def over(self, seed_row: Array, draw: np.random.Generator) -> dict[str, Array]:
        """What collides beside each jet leaves around it, a Poisson number of collisions each turned by chance.

        Arguments:
            seed_row: tower row of the window's centre, (J,).

        Returns:
            "tracks" and "ecal" (J, 125, 125), "hcal" (J, 25, 25), GeV.
        """
        n = len(seed_row)
        if self.mean == 0:
            return {"tracks": np.zeros(1), "ecal": np.zeros(1), "hcal": np.zeros(1)}
        image = np.repeat(np.arange(n), draw.poisson(self.mean * NON_DIFFRACTIVE, n))
        collision = draw.integers(self.size, size=len(image))
        column = draw.integers(COLUMNS // TOWER, size=len(image))
        flip = draw.random(len(image)) < 0.5
        row = seed_row[image] - SIDE // TOWER // 2
        return {name: layer.window(n, image, collision, column, row, flip) for name, layer in self._layers.items()}


def _layer(parts: list[Hits], tower: int) -> _Layer:
    event, row, column, energy = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("event", "row", "column", "energy")
    )
    rows, columns, width = ROWS // tower, COLUMNS // tower, (COLUMNS + SIDE) // tower
    cell, inverse = np.unique((event * columns + column) * rows + row, return_inverse=True)
    total = np.bincount(inverse, energy)
    cell, total = cell[total > FAINTEST], total[total > FAINTEST]
    event, column, row = cell // rows // columns, cell // rows % columns, cell % rows
    again = column < SIDE // tower
    key = np.concatenate([event * width + column, (event * width + column + columns)[again]])
    order = np.argsort(key, kind="stable")
    row, total = (np.concatenate([part, part[again]])[order] for part in (row, total))
    return _Layer(key[order], row, total, tower)
