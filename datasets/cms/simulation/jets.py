"""Jets in the calorimeters: quarks and gluons, or all that QCD makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

__all__ = ["SELECTIONS", "Sample", "Selection", "SimulatedJets"]

Array = NDArray[Any]
MIN_PT, MAX_ETA, MATCH = 70.0, 1.35, 0.3
"""GeV; largest |eta| of partons and jets; largest distance of a jet from its parton."""
LEADING = 2
BATCH = 64


@dataclass(frozen=True)
class Selection:
    """Which jets.

    Arguments:
        processes: label -> the hard collisions in which it is made, as lines of Pythia's settings.
        common: further lines for all of them.
        radius: of the anti-kT jets.
        matched: whether an outgoing parton must lie within 0.3 of the jet.
    """

    processes: Mapping[int, Sequence[str]]
    common: Sequence[str]
    radius: float
    matched: bool


SELECTIONS = {
    "quark_gluon": Selection(
        {
            1: ("HardQCD:gg2qqbar = on", "HardQCD:qq2qq = on", "HardQCD:qqbar2qqbarNew = on"),
            0: ("HardQCD:gg2gg = on", "HardQCD:qqbar2gg = on"),
        },
        ("PhaseSpace:pTHatMin = 90", "PhaseSpace:pTHatMax = 170"),
        radius=0.4,
        matched=True,
    ),
    "inclusive": Selection({-1: ("HardQCD:all = on",)}, ("PhaseSpace:pTHatMin = 45",), radius=0.7, matched=False),
}
"""Quark and gluon: two light quarks or two gluons go out; with one of each a jet's label would be less clear.
Inclusive: unlabelled, found like the real jets of `cms_real`, to be compared with these."""


@dataclass(frozen=True)
class Sample:
    """Images (N, 3, 125, 125) float32 in GeV, pt and m0 (N,) of the jet of particles, y (N,): 1 = quark,
    0 = gluon, -1 = unknown."""

    images: Array
    pt: Array
    m0: Array
    y: Array


class SimulatedJets:
    """Simulates jets.

    Arguments:
        selection: which.
        pileup: mean number of inelastic collisions beside the hard one.
        seed: of the pile-up's pool.
    """

    def __init__(self, selection: Selection, pileup: float, seed: int) -> None:
        self.selection = selection
        self._generators = {
            y: Generator(("Beams:eCM = 8000.", *selection.common, *lines), central=MAX_ETA)
            for y, lines in selection.processes.items()
        }
        self._pileup = PileUp(pileup, seed)

    def sample(self, count: int, seed: int) -> Sample:
        """`count` jets, as many of each label, in random order; the same for the same seed."""
        parts = []
        for place, (y, generator) in enumerate(self._generators.items()):
            draw = np.random.default_rng((seed, y % 256))
            generator.seed(int(draw.integers(1, 900_000_000)))
            labels = len(self._generators)
            wanted = count * (place + 1) // labels - count * place // labels
            made: list[Sample] = []
            while sum(len(part.y) for part in made) < wanted:
                made.append(self._batch(generator, y, draw))
            parts.append(_joined(made, slice(wanted)))
        order = np.random.default_rng(seed).permutation(count)
        return _joined(parts, order)

    def _batch(self, generator: Generator, y: int, draw: np.random.Generator) -> Sample:
        particles, partons = generator.events(BATCH)
        jets = cluster(particles[np.abs(particles.eta) < 3], BATCH, self.selection.radius, MIN_PT)
        good = (jets.id < LEADING) & (np.abs(jets.eta) < MAX_ETA)
        jets = jets[good & _matched(jets, partons)] if self.selection.matched else jets[good]
        found = detect(particles, BATCH, draw)
        hcal = spread(found.hcal, SHARES["hcal"])
        row, column = _seeds(jets, tower_map(hcal, BATCH), self.selection.radius)
        total = self._pileup.over(row, draw)
        for rank in range(LEADING):
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


def _seeds(jets: Jets, towers: Array, radius: float) -> tuple[Array, Array]:
    """Row and column of the brightest HCAL tower within the jet's radius, as CMS centres its images."""
    eta = (np.arange(towers.shape[1]) + 0.5 - towers.shape[1] / 2) * STEP * TOWER
    phi = (np.arange(towers.shape[2]) + 0.5) * PHI_STEP * TOWER
    distance = np.hypot((eta - jets.eta[:, None])[:, :, None], _turn(phi - jets.phi[:, None])[:, None, :])
    bright = np.where(distance < radius, towers[jets.event], -1.0).reshape(len(jets), -1).argmax(1)
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
