"""Jets by anti-kT, many events at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .generator import Particles
from .packages import package

__all__ = ["Jets", "cluster", "cluster_with_members"]

Array = NDArray[Any]


@dataclass(frozen=True)
class Jets(Particles):
    """Jets of many events, by falling pT within an event; `id` is the place in that order, from 0."""

    @property
    def mass(self) -> Array:
        """Invariant mass sqrt(E^2 - p^2), GeV."""
        squared: Array = self.p[:, 0] ** 2 - (self.p[:, 1:] ** 2).sum(1)
        return np.sqrt(np.maximum(squared, 0))

    def __getitem__(self, chosen: Array) -> Jets:
        return Jets(self.event[chosen], self.p[chosen], self.id[chosen])


def cluster(particles: Particles, events: int, radius: float, least: float) -> Jets:
    """The anti-kT jets of each event (Cacciari, Salam, Soyez, arXiv:0802.1189) with pT > `least` GeV.

    Arguments:
        particles: all particles to cluster.
        events: how many events there are; event numbers are below it.
        radius: R.
    """
    return _jets(_clustered(particles, events, radius), events, least)[0]


def cluster_with_members(particles: Particles, events: int, radius: float, least: float) -> tuple[Jets, Array, Array]:
    """The same jets, and of which jet (M,) each of some particles (M,) is a constituent; by jet, then by falling pT."""
    ak = package("awkward")
    clustered = _clustered(particles, events, radius)
    jets, order = _jets(clustered, events, least)
    index = clustered.constituent_index(min_pt=least)
    first = np.searchsorted(particles.event, np.arange(events))
    place = ak.to_numpy(ak.flatten(index + first, axis=None))
    old = np.repeat(np.arange(len(order)), ak.to_numpy(ak.flatten(ak.num(index, axis=2), axis=None)))
    jet = np.argsort(order)[old]
    sorting = np.lexsort((-particles.pt[place], jet))
    return jets, jet[sorting], place[sorting]


def _clustered(particles: Particles, events: int, radius: float) -> Any:
    fastjet, ak = package("fastjet"), package("awkward")
    count = np.bincount(particles.event, minlength=events)
    momenta = ak.zip(dict(zip(("E", "px", "py", "pz"), particles.p.T.copy(), strict=True)), with_name="Momentum4D")
    return fastjet.ClusterSequence(
        ak.unflatten(momenta, count), fastjet.JetDefinition(fastjet.antikt_algorithm, radius)
    )


def _jets(clustered: Any, events: int, least: float) -> tuple[Jets, Array]:
    """The jets of clustered events, and where each of them stood in fastjet's order."""
    ak = package("awkward")
    found = clustered.inclusive_jets(min_pt=least)
    number = ak.num(found).to_numpy()
    flat = ak.flatten(found)
    p = np.stack([np.asarray(flat[part]) for part in ("E", "px", "py", "pz")], 1)
    event = np.repeat(np.arange(events), number)
    order = np.lexsort((-np.hypot(p[:, 1], p[:, 2]), event))
    rank = np.arange(len(event)) - np.repeat(np.cumsum(number) - number, number)
    return Jets(event[order], p[order], rank), order
