"""What particles leave in the two calorimeters and in the tracker: energies, before they are shared among cells.

Resolutions, the response to hadrons and the tracker's efficiency are those of CMS in round numbers (JINST 3 S08004;
JINST 12 P10003); the shares of ECAL and HCAL in a hadron's energy are a parametrisation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._simulation.generator import Particles
from .propagation import ECAL_RADIUS, bending_radius, impact

__all__ = ["Deposits", "Detected", "detect"]

Array = NDArray[Any]
BEAM_SPOT = 0.05
TRACK_PT, TRACK_ETA, TRACK_EFFICIENCY, TRACK_RESOLUTION = 0.75, 2.5, 0.88, 0.015
CONVERSION = 0.35
CONVERSION_RADII = (0.05, 1.1)
ECAL_STOCHASTIC, ECAL_CONSTANT = 0.028, 0.005
HCAL_STOCHASTIC, HCAL_CONSTANT = 1.1, 0.07
NO_ECAL_SHOWER, MIP_ECAL, MIP_HCAL = 0.3, 0.28, 1.8
ECAL_SHARE = (1.2, 1.3)
"""Metres, GeV and fractions: beam spot along z, tracks, photons that convert and where, resolutions,
hadrons that cross the ECAL without a shower, what a minimum ionising particle leaves, Beta law of the ECAL's share."""


@dataclass(frozen=True)
class Deposits:
    """Energies (GeV) at places: event, eta, phi, energy, each (D,)."""

    event: Array
    eta: Array
    phi: Array
    energy: Array

    def __getitem__(self, chosen: Array) -> Deposits:
        return Deposits(self.event[chosen], self.eta[chosen], self.phi[chosen], self.energy[chosen])


@dataclass(frozen=True)
class Detected:
    """Tracks (pT at the direction at the vertex), electromagnetic and hadronic deposits in the ECAL, the HCAL's."""

    tracks: Deposits
    photons: Deposits
    hadrons: Deposits
    hcal: Deposits


def detect(particles: Particles, events: int, draw: np.random.Generator) -> Detected:
    """The response to the particles of some events; every event has a vertex of its own."""
    z0 = draw.normal(0, BEAM_SPOT, events)
    number = np.abs(particles.id)
    light = (number == 22) | (number == 11)
    photons = _photons(particles[light], z0, draw)
    hadrons, hcal = _hadrons(particles[~light], z0, draw)
    return Detected(_tracks(particles, draw), photons, hadrons, hcal)


def _tracks(particles: Particles, draw: np.random.Generator) -> Deposits:
    """Charged particles that are found, their pT at their direction at the vertex."""
    able = (particles.charge != 0) & (particles.pt > TRACK_PT)
    found = particles[able & (np.abs(particles.eta) < TRACK_ETA) & (draw.random(len(particles)) < TRACK_EFFICIENCY)]
    pt = found.pt * (1 + TRACK_RESOLUTION * draw.standard_normal(len(found)))
    return Deposits(found.event, found.eta, found.phi, pt)


def _photons(particles: Particles, z0: Array, draw: np.random.Generator) -> Deposits:
    """Photons and electrons at the ECAL; some photons become pairs on the way, and the field opens the pairs.

    A leg born at radius r arrives displaced by (R - r)^2 / (2 rho R) in azimuth, rho its bending radius.
    """
    n = len(particles)
    pair = (particles.id == 22) & (draw.random(n) < CONVERSION)
    share = np.where(pair, draw.random(n), 1.0)
    way = ECAL_RADIUS - draw.uniform(*CONVERSION_RADII, n)
    eta, phi = impact(particles.pt, particles.p[:, 3], particles.phi, particles.charge, z0[particles.event])
    legs = []
    for sign, part, chosen in ((1, share, np.ones(n, bool)), (-1, 1 - share, pair)):
        rho = np.maximum(bending_radius(part * particles.pt), 1e-3)
        aside = np.where(pair, sign * way**2 / (2 * rho * ECAL_RADIUS), 0.0)
        kept = chosen & (np.abs(aside) < 0.6)
        energy = particles.p[:, 0] * part
        legs.append(Deposits(particles.event, eta, phi + aside, energy)[kept])
    columns = ("event", "eta", "phi", "energy")
    joined = Deposits(*(np.concatenate([getattr(leg, name) for leg in legs]) for name in columns))
    relative = np.hypot(ECAL_STOCHASTIC / np.sqrt(np.maximum(joined.energy, 1e-3)), ECAL_CONSTANT)
    smeared = joined.energy * np.maximum(1 + relative * draw.standard_normal(len(relative)), 0)
    return Deposits(joined.event, joined.eta, joined.phi, smeared)


def _hadrons(particles: Particles, z0: Array, draw: np.random.Generator) -> tuple[Deposits, Deposits]:
    """What hadrons and muons leave in the ECAL and in the HCAL, at the place where they enter.

    The response to a hadron of energy E is 1 - 0.7 E^(-1/4); its fluctuations are a gamma law of relative width
    sqrt(a^2 / E + b^2).
    """
    n = len(particles)
    eta, phi = impact(particles.pt, particles.p[:, 3], particles.phi, particles.charge, z0[particles.event])
    energy = np.maximum(particles.p[:, 0], 0.1)
    shape = 1 / (HCAL_STOCHASTIC**2 / energy + HCAL_CONSTANT**2)
    seen = energy * np.clip(1 - 0.7 * energy**-0.25, 0.1, 1) * draw.gamma(shape) / shape
    through = (draw.random(n) < NO_ECAL_SHOWER) & (particles.charge != 0)
    least = np.minimum(seen, MIP_ECAL * draw.gamma(9.0, size=n) / 9)
    ecal = np.where(through, least, seen * draw.beta(*ECAL_SHARE, n))
    hcal = seen - ecal
    muon = np.abs(particles.id) == 13
    ecal = np.where(muon, MIP_ECAL, ecal)
    hcal = np.where(muon, MIP_HCAL, hcal)
    return Deposits(particles.event, eta, phi, ecal), Deposits(particles.event, eta, phi, hcal)
