"""What `bench data build cms` makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from bench.contracts.builder import Builder, chunk_seed
from bench.errors import BenchError

from ..sparse import Cells
from .jets import SELECTIONS, SimulatedJets
from .windows import electron_photon
from .writing import FORMS, write, write_sparse

__all__ = ["ImageBuilder"]

KINDS = (*SELECTIONS, "electron_photon")


@dataclass(frozen=True)
class ImageBuilder(Builder):
    """Quark and gluon jets at 8 TeV in the calorimeters, half of each; other jets; electron and photon windows.

    Arguments:
        kind: quark_gluon; inclusive, all QCD jets with R = 0.7, unlabelled; or electron_photon, windows that are a
            sample of the schema and not of the physics.
        pileup: mean number of collisions beside the hard one.
    """

    events: ClassVar[int] = 500
    forms: ClassVar[tuple[str, ...]] = tuple(FORMS)
    seed: int = 0
    kind: str = "quark_gluon"
    pileup: float = 20.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise BenchError(f"kind: {self.kind!r} cannot be simulated; {', '.join(KINDS)} can", usage=True)
        if not 0 <= self.pileup <= 200:
            raise BenchError(f"pileup: {self.pileup:g} is outside of 0 to 200", usage=True)

    @cached_property
    def _simulation(self) -> SimulatedJets:
        return SimulatedJets(SELECTIONS[self.kind], self.pileup, chunk_seed(self.seed, -1))

    def chunk(self, index: int, count: int, path: Path) -> None:
        """Some of the images, sparse."""
        seed = chunk_seed(self.seed, index)
        if self.kind == "electron_photon":
            images, y = electron_photon(count, np.random.default_rng(seed))
            columns = {"pt": np.full(count, np.nan), "m0": np.full(count, np.nan), "y": y}
        else:
            sample = self._simulation.sample(count, seed)
            images, columns = sample.images, {"pt": sample.pt, "m0": sample.m0, "y": sample.y}
        write_sparse(path, images.shape[1:], Cells.of(images), columns)

    def join(self, chunks: Sequence[Path], path: Path, form: str) -> None:
        """All images, in one of the schemas."""
        write(chunks, path, form)
