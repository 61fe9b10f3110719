"""Top and QCD jets as lists of constituents, after the reference sample (Butter et al., arXiv:1707.08966).

14 TeV, no multiple interactions and no pile-up; hadronic top pairs against dijets; anti-kT jets of R = 0.8 with
550 < pT < 650 GeV and |eta| < 2; of tops those within which the top and its three quarks lie.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._simulation.clustering import Jets, cluster_with_members
from ..._simulation.generator import Generator, Particles

__all__ = ["CONSTITUENTS", "Sample", "TopJets"]

Array = NDArray[Any]
CONSTITUENTS = 200
COMMON = ("Beams:eCM = 14000.", "PartonLevel:MPI = off", "PhaseSpace:pTHatMin = 525", "PhaseSpace:pTHatMax = 750")
HADRONIC_W = ("24:onMode = off", "24:onIfAny = 1 2 3 4")
PROCESSES = {1: ("Top:gg2ttbar = on", "Top:qqbar2ttbar = on", *HADRONIC_W), 0: ("HardQCD:all = on",)}
RADIUS, PT, MAX_ETA = 0.8, (550.0, 650.0), 2.0
FROM_TOP = (5, 2, 4, -1, -3)
"""PDG numbers of the quarks of t -> b W+ -> b q q'; those of the antitop are their negatives."""
BATCH = 128
EFFICIENCY, TRACK_PT = 0.95, 0.5
RESOLUTION = {"charged": (0.0, 0.01), "photon": (0.1, 0.01), "neutral": (0.5, 0.05)}
"""Stochastic and constant term of the energy resolution, round numbers of a collider detector with tracking."""


@dataclass(frozen=True)
class Sample:
    """Constituents p (N, 200, 4) float32 = E, px, py, pz by falling pT, zero-padded; truth (N, 4): the top's momentum,
    zeros for QCD; y (N,): 1 = top."""

    p: Array
    truth: Array
    y: Array


class TopJets:
    """Simulates jets."""

    def __init__(self) -> None:
        self._generators = {y: Generator((*COMMON, *lines), central=MAX_ETA) for y, lines in PROCESSES.items()}

    def sample(self, count: int, seed: int) -> Sample:
        """`count` jets, half of them tops, in random order; the same for the same seed."""
        parts = []
        for y, generator in self._generators.items():
            draw = np.random.default_rng((seed, y))
            generator.seed(int(draw.integers(1, 900_000_000)))
            wanted = count // 2 + (y and count % 2)
            made: list[Sample] = []
            while sum(len(part.y) for part in made) < wanted:
                made.append(_batch(generator, y, draw))
            parts.append(_joined(made, slice(wanted)))
        return _joined(parts, np.random.default_rng(seed).permutation(count))


def _batch(generator: Generator, y: int, draw: np.random.Generator) -> Sample:
    particles, quarks = generator.events(BATCH)
    seen = _seen(particles[np.abs(particles.eta) < 3], draw)
    jets, jet, place = cluster_with_members(seen, BATCH, RADIUS, PT[0])
    tops = _tops(jets, quarks) if y else np.zeros((len(jets), 4))
    good = (jets.pt < PT[1]) & (np.abs(jets.eta) < MAX_ETA) & (jets.id < 2)
    good &= tops.any(1) if y else True
    number = np.bincount(jet, minlength=len(jets))
    rank = np.arange(len(jet)) - np.repeat(np.cumsum(number) - number, number)
    p = np.zeros((len(jets), CONSTITUENTS, 4), np.float32)
    kept = rank < CONSTITUENTS
    p[jet[kept], rank[kept]] = seen.p[place[kept]]
    return Sample(p[good], tops[good].astype(np.float32), np.full(good.sum(), y, np.int8))


def _seen(particles: Particles, draw: np.random.Generator) -> Particles:
    """Particles as a detector sees them: some tracks lost, energies smeared, no mass."""
    charged, photon = particles.charge != 0, particles.id == 22
    kept = ~charged | ((draw.random(len(particles)) < EFFICIENCY) & (particles.pt > TRACK_PT))
    particles, charged, photon = particles[kept], charged[kept], photon[kept]
    kinds = (charged, photon, ~charged & ~photon)
    terms = np.select([kind[:, None] for kind in kinds], [np.array(term) for term in RESOLUTION.values()])
    relative = np.hypot(terms[:, 0] / np.sqrt(np.maximum(particles.p[:, 0], 0.1)), terms[:, 1])
    momentum = particles.p[:, 1:] * np.maximum(1 + relative * draw.standard_normal(len(relative)), 0.05)[:, None]
    return Particles(particles.event, np.c_[np.sqrt((momentum**2).sum(1)), momentum], particles.id)


def _tops(jets: Jets, quarks: Particles) -> Array:
    """The momentum of the top whose three quarks all lie within each jet, (J, 4); zeros where there is none."""
    found = np.zeros((len(jets), 4))
    for sign in (1, -1):
        own = quarks[np.isin(sign * quarks.id, FROM_TOP)]
        number = np.bincount(own.event, minlength=BATCH)
        own = own[number[own.event] == 3]
        three = np.full(BATCH, -1)
        three[own.event[::3]] = np.arange(len(own) // 3)
        which = three[jets.event]
        top = own.p.reshape(-1, 3, 4).sum(1)
        members = np.concatenate([own.p.reshape(-1, 3, 4), top[:, None]], 1)
        if len(members) == 0:
            continue
        near = (which >= 0) & (_distance(jets, members[which]) < RADIUS).all(1)
        found[near] = top[which[near]]
    return found


def _distance(jets: Jets, p: Array) -> Array:
    """Distance in eta and phi of momenta (J, M, 4) from the axes of jets, (J, M)."""
    eta = np.arcsinh(p[..., 3] / np.hypot(p[..., 1], p[..., 2]))
    phi = np.arctan2(p[..., 2], p[..., 1]) - jets.phi[:, None]
    distance: Array = np.hypot(eta - jets.eta[:, None], np.mod(phi + np.pi, 2 * np.pi) - np.pi)
    return distance


def _joined(parts: list[Sample], chosen: slice | Array) -> Sample:
    return Sample(*(np.concatenate([getattr(part, name) for part in parts])[chosen] for name in ("p", "truth", "y")))
