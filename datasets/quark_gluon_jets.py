"""Quark and gluon jets as four-vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from bench.contracts import BenchError, Split
from bench.data import Expected, Source, find_files, read_npy, read_npz, split_rows

from ._jets import Jets, four_vectors

__all__ = ["QuarkGluonJets"]

NAMES = ("energyflow_qg_x10_sorted_12500.npy", "energyflow_qg_y10_sorted_12500.npy")
PUBLISHED = "QG_jets.npz"
ARCHIVE = Source(
    folder="jets",
    sha256={PUBLISHED: "3f27a02eab06e8b83ccc9d25638021e6e24c9361341730961f9d560dee12c257"},
    mirrors=("https://zenodo.org/records/3164691/files/",),
)
"""The checksum is EnergyFlow's own (energyflow/datasets/qg_jets.py)."""
WHERE = f"put {PUBLISHED} of Zenodo 3164691 into the jets folder of a BENCH_DATA folder, or set source=download"
MASSES = {
    22: 0.0, 11: 0.000511, 13: 0.105658, 211: 0.139570, 130: 0.497611, 310: 0.497611, 321: 0.493677,
    2112: 0.939565, 2212: 0.938272,
}  # fmt: skip
"""|PDG number| -> mass in GeV (Particle Data Group)."""


@dataclass(frozen=True)
class QuarkGluonJets(Jets):
    """Quark and gluon jets of EnergyFlow: Pythia Z + jet at 14 TeV, pT 500 to 550 GeV.

    Read from the published archive, or from two files with the 10 leading particles of 12,500 of its jets. Label 1 is
    the quark. A fifth is the test split.

    Arguments:
        constituents: how many leading particles are kept; of the two files at most 10.
        source: file (in the jets folder of a BENCH_DATA folder), or download of the archive.
    """

    constituents: int = 10
    source: Literal["file", "download"] = "file"

    paper: ClassVar[str] = "https://arxiv.org/abs/1810.05165"
    archive: ClassVar[Source] = ARCHIVE

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.source not in ("file", "download"):
            raise BenchError(f"source = {self.source!r}; allowed are file and download", "choose one of them")

    def files(self) -> Sequence[Path]:
        """The published archive; else particles and labels."""
        if self.source == "download":
            return [self.archive.find(PUBLISHED)]
        found = {path.name: path for path in find_files("jets", (PUBLISHED, *NAMES), WHERE)}
        if PUBLISHED in found:
            return [found[PUBLISHED]]
        if missing := [name for name in NAMES if name not in found]:
            raise BenchError(f"no file {missing[0]} beside {next(iter(found))}", WHERE)
        return [found[name] for name in NAMES]

    def facts(self) -> Mapping[str, str]:
        return {"source": self.source}

    def most(self) -> int:
        """10 in the two files; as many as are asked for of the archive, zeros where a jet has fewer."""
        return 10 if len(self.files()) > 1 else self.constituents

    def momenta(self, split: Split, seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Four-vectors from (pT, rapidity, phi, PDG number)."""
        particles, labels = self._read()
        rows = split_rows(min(self.jets, len(particles)), split, seed)
        pt, y, phi, pdg = np.moveaxis(leading(particles[rows], self.kept()), -1, 0)
        return four_vectors(pt, y, phi, masses(pdg, self.files()[0])), labels[rows]

    def _read(self) -> tuple[NDArray[Any], NDArray[Any]]:
        files = self.files()
        if len(files) == 1:
            arrays = read_npz(files[0], {"X": Expected(("N", "M", 4)), "y": LABELS})
            return arrays["X"], arrays["y"]
        particles, labels = read_npy(files[0], Expected(("N", 10, 4))), read_npy(files[1], LABELS)
        if len(particles) != len(labels):
            raise BenchError(f"{len(particles)} jets in {files[0]} but {len(labels)} labels in {files[1]}", WHERE)
        return particles, labels


LABELS = Expected(("N",), "fiu")


def leading(particles: NDArray[Any], count: int) -> NDArray[Any]:
    """So many particles of each jet by falling pT, zeros where there are fewer: (N, M, 4) -> (N, count, 4)."""
    order = np.argsort(-particles[..., 0], axis=1, kind="stable")[:, :count]
    kept = np.take_along_axis(particles, order[..., None], 1)
    return np.pad(kept, ((0, 0), (0, count - kept.shape[1]), (0, 0)))


def masses(pdg: NDArray[Any], file: Path) -> NDArray[Any]:
    """Masses in GeV of a file's particles by their PDG numbers; 0, no particle, has none.

    Raises:
        BenchError: a number that stands for no long-lived particle.
    """
    found = np.zeros(pdg.shape)
    for number in np.unique(np.abs(pdg)):
        if number and int(number) not in MASSES:
            raise BenchError(f"{file}: PDG number {number:g} stands for no long-lived particle", WHERE)
        found[np.abs(pdg) == number] = MASSES.get(int(number), 0.0)
    return found
