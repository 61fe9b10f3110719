"""Quark and gluon jets in the calorimeters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._simulation.clustering import Jets, cluster
from ..._simulation.generator import Generator, Particles
from .grid import PHI_STEP, ROWS, SHARES, SIDE, STEP, TOWER, around, spread, tower_map
from .pileup import PileUp
from .readout import images
from .response import Deposits, detect

__all__ = ["QuarkGluon", "Sample"]

Array = NDArray[Any]
COMMON = ("Beams:eCM = 8000.", "PhaseSpace:pTHatMin = 90", "PhaseSpace:pTHatMax = 170")
PROCESSES = {
    1: ("HardQCD:gg2qqbar = on", "HardQCD:qq2qq = on", "HardQCD:qqbar2qqbarNew = on"),
    0: ("HardQCD:gg2gg = on", "HardQCD:qqbar2gg = on"),
}
"""Label -> collisions with two light quarks, or two gluons, going out; those with one of each have no clear label."""
RADIUS, MATCH, MIN_PT, MAX_ETA = 0.4, 0.3, 70.0, 1.35
BATCH = 64


@dataclass(frozen=True)
class Sample:
    """Images (N, 3, 125, 125) float32 in GeV, pt and m0 (N,) of the jet of particles, y (N,): 1 = quark."""

    images: Array
    pt: Array
    m0: Array
    y: Array


class QuarkGluon:
    """Simulates jets.

    Arguments:
        pileup: mean number of inelastic collisions beside the hard one.
        seed: of the pile-up's pool.
    """

    def __init__(self, pileup: float, seed: int) -> None:
        self._generators = {y: Generator((*COMMON, *lines), central=MAX_ETA) for y, lines in PROCESSES.items()}
        self._pileup = PileUp(pileup, seed)

    def sample(self, count: int, seed: int) -> Sample:
        """`count` jets, half of them quarks, in random order; the same for the same seed."""
        parts = []
        for y, generator in self._generators.items():
            draw = np.random.default_rng((seed, y))
            generator.seed(int(draw.integers(1, 900_000_000)))
            wanted = count // 2 + (y and count % 2)
            made: list[Sample] = []
            while sum(len(part.y) for part in made) < wanted:
                made.append(self._batch(generator, y, draw))
            parts.append(_joined(made, slice(wanted)))
        order = np.random.default_rng(seed).permutation(count)
        return _joined(parts, order)

    def _batch(self, generator: Generator, y: int, draw: np.random.Generator) -> Sample:
        particles, partons = generator.events(BATCH)
        jets = cluster(particles[np.abs(particles.eta) < 3], BATCH, RADIUS, MIN_PT)
        jets = jets[(jets.id < 2) & (np.abs(jets.eta) < MAX_ETA) & _matched(jets, partons)]
        found = detect(particles, BATCH, draw)
        hcal = spread(found.hcal, SHARES["hcal"])
        row, column = _seeds(jets, tower_map(hcal, BATCH))
        total = self._pileup.over(row, draw)
        for rank in range(2):
            of = np.full(BATCH, -1)
            of[jets.event[jets.id == rank]] = np.flatnonzero(jets.id == rank)
            for name, hits in (
                ("tracks", spread(found.tracks)),
                ("ecal", spread(_near(found.photons, of, row, column), SHARES["photons"])),
                ("ecal", spread(_near(found.hadrons, of, row, column), SHARES["hadrons"])),
                ("hcal", hcal),
            ):
                total[name] = total[name] + around(hits, of, row, column, TOWER if name == "hcal" else 1)
        made = images(total["tracks"], total["ecal"], total["hcal"], draw)
        return Sample(made, jets.pt.astype(np.float32), jets.mass.astype(np.float32), np.full(len(jets), y, np.int8))


def _joined(parts: list[Sample], chosen: slice | Array) -> Sample:
    columns = ("images", "pt", "m0", "y")
    return Sample(*(np.concatenate([getattr(part, name) for part in parts])[chosen] for name in columns))


def _matched(jets: Jets, partons: Particles) -> Array:
    """Whether an outgoing parton lies within 0.3 of the jet."""
    close = np.zeros(len(jets), bool)
    for which in (0, 1):
        eta, phi = partons.eta[which::2][jets.event], partons.phi[which::2][jets.event]
        close |= np.hypot(jets.eta - eta, _turn(jets.phi - phi)) < MATCH
    return close


def _seeds(jets: Jets, towers: Array) -> tuple[Array, Array]:
    """Row and column of the brightest HCAL tower within the jet's radius, as CMS centres its images."""
    eta = (np.arange(towers.shape[1]) + 0.5 - towers.shape[1] / 2) * STEP * TOWER
    phi = (np.arange(towers.shape[2]) + 0.5) * PHI_STEP * TOWER
    distance = np.hypot((eta - jets.eta[:, None])[:, :, None], _turn(phi - jets.phi[:, None])[:, None, :])
    bright = np.where(distance < RADIUS, towers[jets.event], -1.0).reshape(len(jets), -1).argmax(1)
    row, column = np.divmod(bright, towers.shape[2])
    reach = SIDE // TOWER // 2
    return np.clip(row, reach, ROWS // TOWER - 1 - reach), column


def _near(deposits: Deposits, jet: Array, row: Array, column: Array) -> Deposits:
    """The deposits that may reach the window of their event's jet."""
    of = jet[deposits.event]
    reach = (SIDE / 2 + TOWER) * STEP
    eta = (row[of] + 0.5 - ROWS / TOWER / 2) * STEP * TOWER
    phi = (column[of] + 0.5) * PHI_STEP * TOWER
    inside = (np.abs(deposits.eta - eta) < reach) & (np.abs(_turn(deposits.phi - phi)) < reach)
    return deposits[(of >= 0) & inside]


def _turn(angle: Array) -> Array:
    """The angle in [-pi, pi)."""
    return np.mod(angle + np.pi, 2 * np.pi) - np.pi
