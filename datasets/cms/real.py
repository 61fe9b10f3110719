"""Jets from real collisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bench.data import find_files

from ._images import CalorimeterImages
from .files import Layout, sparse_file
from .sparse import SparseImages

__all__ = ["CMSReal"]

FILE = "cms_ispy_real_jets.h5"
LAYOUT = Layout((3,), 125, per_jet=("pt",), labelled=False)
WHERE = "put it, made from the event displays of cms-outreach/ispy-webgl, into cms/ of a BENCH_DATA folder"


@dataclass(frozen=True)
class CMSReal(CalorimeterImages):
    """1047 jets of collisions that CMS recorded in 2010 to 2012, on the grid of the end-to-end images.

    They have no truth label: only formulas are oracles. R = 0.7, no jet identification.

    Arguments:
        least_pt: jets with a lower pT, in GeV, are left out.
    """

    least_pt: float = 30.0

    track: ClassVar[tuple[str, str, str]] = ("identity", "girth", "image_affine")
    paper: ClassVar[str] = "CMS open data (CC0), by the event displays of cms-outreach/ispy-webgl"

    def files(self) -> Sequence[Path]:
        """The file with the jets."""
        return find_files("cms", (FILE,), WHERE)[:1]

    def facts(self) -> Mapping[str, str]:
        return {"source": "file"}

    def stores(self) -> list[SparseImages]:
        """The jets, as sparse images."""
        return [sparse_file(path, LAYOUT, "file") for path in self.files()]

    def depth(self) -> int:
        return 3

    def usual(self) -> tuple[int, int]:
        """All crystals."""
        return 128, 32

    def eligible(self, stores: Sequence[SparseImages]) -> NDArray[Any]:
        """Jets with enough pT."""
        return np.concatenate([store.pt for store in stores]) > self.least_pt
