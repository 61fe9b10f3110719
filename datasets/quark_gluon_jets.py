"""Quark and gluon jets as four-vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bench.contracts import BenchError, Split
from bench.data import Expected, find_files, read_npy, split_rows

from ._jets import Jets, four_vectors

__all__ = ["QuarkGluonJets"]

NAMES = ("energyflow_qg_x10_sorted_12500.npy", "energyflow_qg_y10_sorted_12500.npy")
WHERE = "put both, made from EnergyFlow's QG jets (Zenodo 3164691), into the jets folder of a BENCH_DATA folder"
MASSES = {
    22: 0.0, 11: 0.000511, 13: 0.105658, 211: 0.139570, 130: 0.497611, 310: 0.497611, 321: 0.493677,
    2112: 0.939565, 2212: 0.938272,
}  # fmt: skip
"""|PDG number| -> mass in GeV (Particle Data Group)."""


@dataclass(frozen=True)
class QuarkGluonJets(Jets):
    """Quark and gluon jets of EnergyFlow: Pythia Z + jet at 14 TeV, pT 500 to 550 GeV, the 10 leading particles.

    Label 1 is the quark. A fifth is the test split.

    Arguments:
        constituents: how many leading particles are kept, at most 10.
    """

    constituents: int = 10

    paper: ClassVar[str] = "https://arxiv.org/abs/1810.05165"

    def files(self) -> Sequence[Path]:
        """Particles and labels."""
        return [find_files("jets", (name,), WHERE)[0] for name in NAMES]

    def facts(self) -> Mapping[str, str]:
        return {"source": "file"}

    def most(self) -> int:
        return 10

    def momenta(self, split: Split, seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Four-vectors from (pT, rapidity, phi, PDG number)."""
        particles, labels = (read_npy(path, wanted) for path, wanted in zip(self.files(), EXPECTED, strict=True))
        if len(particles) != len(labels):
            raise BenchError(f"{len(particles)} jets in {NAMES[0]} but {len(labels)} labels in {NAMES[1]}", WHERE)
        rows = split_rows(min(self.jets, len(particles)), split, seed)
        pt, y, phi, pdg = np.moveaxis(particles[rows, : self.constituents], -1, 0)
        return four_vectors(pt, y, phi, masses(pdg)), labels[rows]


EXPECTED = Expected(("N", 10, 4)), Expected(("N",), "fiu")


def masses(pdg: NDArray[Any]) -> NDArray[Any]:
    """Masses in GeV of particles by their PDG numbers; 0, no particle, has none.

    Raises:
        BenchError: a number that stands for no long-lived particle.
    """
    found = np.zeros(pdg.shape)
    for number in np.unique(np.abs(pdg)):
        if number and int(number) not in MASSES:
            raise BenchError(f"{NAMES[0]}: PDG number {number:g} stands for no long-lived particle", WHERE)
        found[np.abs(pdg) == number] = MASSES.get(int(number), 0.0)
    return found
