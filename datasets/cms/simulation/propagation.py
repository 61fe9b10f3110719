"""Particles from the collision to the face of the electromagnetic calorimeter, along helices in the solenoid."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ECAL_RADIUS", "ECAL_Z", "FIELD", "bending_radius", "impact"]

Array = NDArray[Any]
FIELD = 3.8
ECAL_RADIUS = 1.29
ECAL_Z = 3.17
"""Solenoid in tesla; inner radius of the barrel and distance of the endcaps in metres (CMS, JINST 3 S08004)."""
SPEED = 0.299792458


def bending_radius(pt: Array) -> Array:
    """R = pT / (0.2998 B), metres for GeV and tesla; unit charge."""
    return np.asarray(pt) / (SPEED * FIELD)


def impact(pt: Array, pz: Array, phi: Array, charge: Array, z0: Array) -> tuple[Array, Array]:
    """Pseudorapidity (as seen from the detector's centre) and azimuth at which particles enter the calorimeter.

    In the transverse plane a charge q turns by the angle s / R over the arc s; the chord is 2 R sin(s / 2R) in the
    direction phi - q s / 2R (the field points along +z). The arc ends at the barrel, 2 R asin(r / 2R), or at the
    endcap, |z - z0| pT / |pz|, whichever comes first; what curls up within r < 2R reaches the endcaps alone.

    Arguments:
        pt, pz, phi: transverse and longitudinal momentum (GeV), azimuth at the start, (P,).
        charge: -1, 0 or 1, (P,).
        z0: where the particle starts on the beam line, metres, (P,).
    """
    curvature = np.abs(charge) / (2 * np.maximum(bending_radius(pt), 1e-9))
    slope = pz / np.maximum(pt, 1e-9)
    sine = ECAL_RADIUS * curvature
    straight = sine < 1e-6
    half = np.arcsin(np.minimum(sine, 1.0))
    barrel = np.where(straight, ECAL_RADIUS, half / np.where(straight, 1.0, curvature))
    barrel = np.where(sine > 1, np.inf, barrel)
    endcap = (ECAL_Z - np.sign(pz) * z0) / np.maximum(np.abs(slope), 1e-9)
    arc = np.minimum(barrel, endcap)
    turned = arc * curvature
    chord = arc * np.sinc(turned / np.pi)
    azimuth = phi - charge * turned + np.where(chord < 0, np.pi, 0.0)
    eta = np.arcsinh((z0 + slope * arc) / np.maximum(np.abs(chord), 1e-6))
    return eta, np.mod(azimuth + np.pi, 2 * np.pi) - np.pi
