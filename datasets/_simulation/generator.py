"""Events of Pythia 8 as flat arrays of particles; no Python loop over events or particles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .packages import package

__all__ = ["CHARGED", "Generator", "Particles"]

Array = NDArray[Any]
NEUTRINOS = (12, 14, 16)
CHARGED = (11, 13, 211, 321, 2212, 3112, 3222, 3312, 3334)
NEGATIVE = (11, 13, 3112, 3312, 3334)
"""Charged particles that reach a detector, by the absolute PDG number; those whose particle has charge -1."""


@dataclass(frozen=True)
class Particles:
    """Particles of many events, one after the other.

    Arguments:
        event: index of the event, ascending, (P,).
        p: E, px, py, pz in GeV, (P, 4).
        id: PDG number, (P,).
    """

    event: Array
    p: Array
    id: Array

    def __len__(self) -> int:
        return len(self.event)

    def __getitem__(self, chosen: Array) -> Particles:
        return Particles(self.event[chosen], self.p[chosen], self.id[chosen])

    @property
    def pt(self) -> Array:
        """Transverse momentum, GeV."""
        return np.hypot(self.p[:, 1], self.p[:, 2])

    @property
    def eta(self) -> Array:
        """Pseudorapidity asinh(pz / pT)."""
        return np.arcsinh(self.p[:, 3] / np.maximum(self.pt, 1e-9))

    @property
    def phi(self) -> Array:
        """Azimuth in (-pi, pi]."""
        return np.arctan2(self.p[:, 2], self.p[:, 1])

    @property
    def charge(self) -> Array:
        """-1, 0 or 1."""
        number = np.abs(self.id)
        sign = np.where(np.isin(number, NEGATIVE), -1, 1) * np.sign(self.id)
        return np.where(np.isin(number, CHARGED), sign, 0)


class Generator:
    """Pythia 8 with some settings.

    Arguments:
        settings: lines of Pythia's settings language.
        central: largest |eta| of the two outgoing hard partons; other events are dropped before the shower, which
            costs nothing. None: all.
    """

    def __init__(self, settings: Sequence[str], central: float | None = None) -> None:
        pythia8 = package("pythia8mc")
        self._pythia = pythia8.Pythia("", False)
        for line in ("Print:quiet = on", "Check:event = off", "Random:setSeed = on", "Random:seed = 1", *settings):
            if not self._pythia.readString(line):
                raise ValueError(f"Pythia does not know the setting {line!r}")
        if central is not None:
            self._hook = _central(pythia8, central)
            self._pythia.setUserHooksPtr(self._hook)
        if not self._pythia.init():
            raise RuntimeError("Pythia does not start with these settings")

    def seed(self, seed: int) -> None:
        """Start the random numbers anew; 0 < seed < 900,000,000."""
        self._pythia.rndm.init(seed)

    def events(self, n: int) -> tuple[Particles, Particles]:
        """n events: the visible final particles, and the two outgoing partons of the hard collision."""
        ak = package("awkward")
        record = self._pythia.nextBatch(n).prt
        event = np.repeat(np.arange(len(record)), ak.num(record).to_numpy())
        flat = ak.flatten(record)
        status, number = np.asarray(flat.status), np.asarray(flat.id)
        momentum = np.stack([np.asarray(flat.p[part]) for part in ("e", "px", "py", "pz")], 1)
        everything = Particles(event, momentum, number)
        final = (status > 0) & ~np.isin(np.abs(number), NEUTRINOS)
        return everything[final], everything[np.abs(status) == 23]


def _central(pythia8: Any, limit: float) -> Any:
    class Central(pythia8.UserHooks):  # type: ignore[misc]
        def canVetoProcessLevel(self) -> bool:
            return True

        def doVetoProcessLevel(self, process: Any) -> bool:
            return bool(max(abs(process[5].eta()), abs(process[6].eta())) > limit)

    return Central()
