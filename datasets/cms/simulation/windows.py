"""Electron and photon windows in the ECAL: a parametric shower, for the schema and the throughput; no physics sample.

One electron or photon of pT = 50 GeV shines into 32 x 32 crystals; its energy is shared among spots that follow the
mean longitudinal and radial profiles of Grindhammer and Peters (hep-ex/0001020, homogeneous calorimeters). Electrons
radiate one photon, photons convert now and then, and the solenoid moves the parts apart in phi. Material, geometry,
shower fluctuations and pulse shapes are not simulated.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .propagation import ECAL_RADIUS, bending_radius
from .response import CONVERSION, CONVERSION_RADII

__all__ = ["SIDE", "electron_photon", "shower_radii"]

Array = NDArray[Any]
SIDE = 32
PT, MAX_ETA = 50.0, 1.4
Z, CRITICAL, MOLIERE, CRYSTAL = 68.4, 0.0096, 2.0, 2.2
"""Lead tungstate: effective Z, critical energy (GeV), Moliere radius and crystal size (cm)."""
SPOTS = 300
NOISE, THRESHOLD = 0.045, 0.13
TIME_NOISE, TIME_FLOOR = 3.0, 0.2
EMPTY = 0.004
"""GeV; a crystal's time resolution (ns GeV, ns); how many windows are empty, as some in the published files are."""


def shower_radii(energy: Array, draw: np.random.Generator, spots: int = SPOTS) -> Array:
    """Distances of energy spots from the shower's axis, in Moliere radii: (S, spots) for energies (S,) in GeV.

    The depth follows a gamma law with its maximum at T = ln(E / Ec) - 0.858; at depth tau T the radius follows
    p(tau) 2 r Rc^2 / (r^2 + Rc^2)^2 + (1 - p(tau)) 2 r Rt^2 / (r^2 + Rt^2)^2.
    """
    log = np.log(energy / CRITICAL)[:, None]
    top = log - 0.858
    alpha = 0.21 + (0.492 + 2.38 / Z) * log
    tau = draw.gamma(alpha, top / (alpha - 1), (len(energy), spots)) / top
    scale = np.log(energy)[:, None]
    core = 0.0251 + 0.00319 * scale + (0.1162 - 0.000381 * Z) * tau
    depth = tau - 0.645
    rise = 0.3585 + 0.0421 * scale
    tail = (0.659 - 0.00309 * Z) * (np.exp(-2.59 * depth) + np.exp(rise * depth))
    past = (0.401 + 0.00187 * Z - tau) / (1.313 - 0.0686 * scale)
    share = np.clip((2.632 - 0.00094 * Z) * np.exp(past - np.exp(past)), 0, 1)
    u = draw.random(tau.shape)
    radius: Array = np.where(draw.random(tau.shape) < share, core, tail) * np.sqrt(u / (1 - u))
    return radius


def electron_photon(count: int, draw: np.random.Generator) -> tuple[Array, Array]:
    """Windows (N, 2, 32, 32) float32, energy in GeV and time in ns, and y (N,): 1 = electron."""
    y = draw.integers(0, 2, count).astype(np.int8)
    energy = PT * np.cosh(draw.uniform(-MAX_ETA, MAX_ETA, count))
    parts, aside = _parts(y == 1, draw)
    centre = draw.random((2, count)) - 0.5
    seen = np.zeros((count, SIDE, SIDE))
    for part, shift in zip(parts, aside, strict=True):
        shares = np.maximum(part, 1e-3)
        radius = shower_radii(energy * shares, draw) * MOLIERE / CRYSTAL
        angle = draw.uniform(0, 2 * np.pi, radius.shape)
        row = np.floor(SIDE / 2 + centre[0][:, None] + radius * np.sin(angle)).astype(int)
        column = np.floor(SIDE / 2 + (centre[1] + shift)[:, None] + radius * np.cos(angle)).astype(int)
        inside = (row >= 0) & (row < SIDE) & (column >= 0) & (column < SIDE)
        window = np.broadcast_to(np.arange(count)[:, None], row.shape)
        flat = ((window * SIDE + row) * SIDE + column)[inside]
        weight = np.broadcast_to((energy * part / SPOTS)[:, None], row.shape)[inside]
        seen += np.bincount(flat, weight, count * SIDE**2).reshape(seen.shape)
    return _read(seen, draw), y


def _parts(electron: Array, draw: np.random.Generator) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Shares of the energy in two parts of the shower, and where they arrive in phi, in crystals.

    What leaves a track of bending radius rho at radius r arrives (R - r)^2 / (2 rho) aside.
    """
    n = len(electron)
    way = ECAL_RADIUS - draw.uniform(*CONVERSION_RADII, n)
    apart = 100 * way**2 / (2 * CRYSTAL)
    radiated = draw.beta(0.4, 1.6, n)
    leg = np.where(draw.random(n) < CONVERSION, draw.random(n), 1.0)
    first = np.where(electron, 1 - radiated, leg)
    curved = np.maximum(first, 0.02), np.maximum(1 - first, 0.02)
    moved = tuple(apart / bending_radius(part * PT) for part in curved)
    pair = ~electron & (first < 1)
    return (first, 1 - first), (
        np.where(electron | pair, moved[0], 0.0),
        np.where(pair, -moved[1], 0.0),
    )


def _read(energy: Array, draw: np.random.Generator) -> Array:
    """Energy and time of the crystals above threshold."""
    energy = energy + NOISE * draw.standard_normal(energy.shape)
    energy[draw.random(len(energy)) < EMPTY] = 0
    kept = energy > THRESHOLD
    time = np.hypot(TIME_NOISE / np.maximum(energy, THRESHOLD), TIME_FLOOR) * draw.standard_normal(energy.shape)
    return np.stack([np.where(kept, energy, 0), np.where(kept, time, 0)], 1).astype(np.float32)
