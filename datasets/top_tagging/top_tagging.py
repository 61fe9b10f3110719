"""Top and QCD jets as four-vectors: the packaged sample, or the reference sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from bench.contracts import BenchError, Split
from bench.data import Expected, Source, complete, find_files, read_hdf5, split_rows

from .._jets import Jets
from .reference import CONSTITUENTS, read_reference

__all__ = ["REFERENCE", "TopTagging"]

REFERENCE = Source(
    folder="top_tagging",
    sha256={
        "train.h5": "md5:45663819f47c13724f67eb0fd80bfa5c",
        "val.h5": "md5:dca4b7248027618f041f9baa86d360fc",
        "test.h5": "md5:13163479dee30a5fe546e4536cc3d04d",
    },
    mirrors=("https://zenodo.org/records/2603256/files/",),
)
PACKAGED = Path(__file__).parent / "data" / "top.h5"
LEADING = 30
PARTS: dict[Split, str] = {"train": "train.h5", "valid": "val.h5", "test": "test.h5"}
WHERE = "get train.h5, val.h5 and test.h5 at https://zenodo.org/records/2603256, or set source=download"


@dataclass(frozen=True)
class TopTagging(Jets):
    """Hadronic top jets (label 1) and QCD jets at 14 TeV, anti-kT R = 0.8, pT 550 to 650 GeV.

    By default the sample that comes with the suite, simulated for it, of which a fifth is the test split. With
    `source=file` or `download` the reference sample in its three published splits, of which each repeat takes others
    for training and validation.

    Arguments:
        source: simulated, file (in the top_tagging folder of a BENCH_DATA folder) or download.
    """

    source: Literal["simulated", "file", "download"] = "simulated"

    paper: ClassVar[str] = "https://arxiv.org/abs/1902.09914"
    builder: ClassVar[str] = "bench.datasets.top_tagging.simulation.build:JetBuilder"
    reference: ClassVar[Source] = REFERENCE

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.source not in ("simulated", "file", "download"):
            what = f"source = {self.source!r}; allowed are simulated, file and download"
            raise BenchError(what, "choose one of them")

    def files(self) -> Sequence[Path]:
        """The packaged sample, or the three reference files."""
        if self.source == "simulated":
            return [complete(PACKAGED)]
        return [self._reference(name) for name in PARTS.values()]

    def facts(self) -> Mapping[str, str]:
        return {"source": self.source}

    def most(self) -> int:
        return LEADING if self.source == "simulated" else CONSTITUENTS

    def momenta(self, split: Split, seed: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """The leading constituents."""
        if self.source != "simulated":
            draw = np.random.default_rng([seed, list(PARTS).index(split)] if split != "test" else 0)
            return read_reference(self._reference(PARTS[split]), self.jets, self.constituents, draw)
        arrays = read_hdf5(PACKAGED, {"p": Expected(("N", LEADING, 4)), "y": Expected(("N",), "iu")})
        rows = split_rows(min(self.jets, len(arrays["y"])), split, seed)
        return arrays["p"][rows, : self.constituents], arrays["y"][rows]

    def _reference(self, name: str) -> Path:
        if self.source == "file":
            return find_files(self.reference.folder, (name,), WHERE)[0]
        return self.reference.find(name)
