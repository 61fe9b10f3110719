"""What `bench data build cms` makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from bench.contracts.builder import Builder

from ..sparse import Cells
from .quark_gluon import QuarkGluon
from .writing import FORMS, write, write_sparse

__all__ = ["JetImages"]


@dataclass(frozen=True)
class JetImages(Builder):
    """Quark and gluon jets at 8 TeV in the calorimeters, half of each.

    Arguments:
        pileup: mean number of collisions beside the hard one.
    """

    events: ClassVar[int] = 500
    forms: ClassVar[tuple[str, ...]] = tuple(FORMS)
    seed: int = 0
    pileup: float = 20.0

    @cached_property
    def _simulation(self) -> QuarkGluon:
        return QuarkGluon(self.pileup, self._number(0))

    def _number(self, index: int) -> int:
        """A seed of Pythia's from ours."""
        return int(np.random.SeedSequence((self.seed, index)).generate_state(1)[0] % 899_999_999) + 1

    def chunk(self, index: int, count: int, path: Path) -> None:
        """Some of the jets, as sparse images."""
        sample = self._simulation.sample(count, self._number(index + 1))
        jets = {"pt": sample.pt, "m0": sample.m0, "y": sample.y}
        write_sparse(path, sample.images.shape[1:], Cells.of(sample.images), jets)

    def join(self, chunks: Sequence[Path], path: Path, form: str) -> None:
        """All jets, in one of the schemas."""
        write(chunks, path, form)
