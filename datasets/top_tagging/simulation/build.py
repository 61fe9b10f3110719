"""What `bench data build top_tagging` makes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import h5py
import numpy as np
from numpy.typing import NDArray

from bench.contracts.builder import Builder, chunk_seed

from ..._simulation.packages import package
from .jets import CONSTITUENTS, TopJets

__all__ = ["JetBuilder", "write_packaged", "write_reference"]

Array = NDArray[Any]
FILTERS: dict[str, Any] = {"compression": "gzip", "compression_opts": 9, "shuffle": True}
LEADING = 30
COLUMNS = [f"{part}_{i}" for i in range(CONSTITUENTS) for part in ("E", "PX", "PY", "PZ")]
TRUTH = ["truthE", "truthPX", "truthPY", "truthPZ"]


@dataclass(frozen=True)
class JetBuilder(Builder):
    """Top and QCD jets at 14 TeV as constituents, half of each."""

    events: ClassVar[int] = 1000
    forms: ClassVar[tuple[str, ...]] = ("table", "leading")
    seed: int = 0

    @cached_property
    def _simulation(self) -> TopJets:
        return TopJets()

    def chunk(self, index: int, count: int, path: Path) -> None:
        """Some of the jets: p (N, 200, 4), truth (N, 4), y (N,)."""
        sample = self._simulation.sample(count, chunk_seed(self.seed, index))
        with h5py.File(path, "w") as file:
            for name in ("p", "truth", "y"):
                file.create_dataset(name, data=getattr(sample, name), **FILTERS)

    def join(self, chunks: Sequence[Path], path: Path, form: str) -> None:
        """All jets: "table", the schema of the reference files; "leading", the 30 leading constituents as one array."""
        {"table": write_reference, "leading": write_packaged}[form](chunks, path)


def write_packaged(chunks: Sequence[Path], path: Path) -> None:
    """p (N, 30, 4) float32 and y (N,) int8."""
    parts = [(p[:, :LEADING], y) for p, _, y in _read(chunks)]
    with h5py.File(path, "w") as file:
        file.attrs["source"] = "simulated"
        for name, column in zip(("p", "y"), zip(*parts, strict=True), strict=True):
            file.create_dataset(name, data=np.concatenate(column), **FILTERS)


def write_reference(chunks: Sequence[Path], path: Path) -> None:
    """The schema of Zenodo 2603256: a pandas table, key `table`, E_0, PX_0, .., PZ_199, truthE, .., ttv, is_signal_new.

    BenchError where PyTables is not installed.
    """
    import pandas as pd

    package("tables")
    with pd.HDFStore(path, "w", complevel=9, complib="zlib") as store:
        start = 0
        for p, truth, y in _read(chunks):
            index = np.arange(start, start + len(y))
            numbers = pd.DataFrame(np.concatenate([p.reshape(len(p), -1), truth], 1), index, [*COLUMNS, *TRUTH])
            flags = pd.DataFrame({"ttv": np.zeros(len(y), np.int64), "is_signal_new": y.astype(np.int64)}, index)
            store.append("table", pd.concat([numbers, flags], axis=1), index=False)
            start += len(y)


def _read(chunks: Sequence[Path]) -> Iterator[tuple[Array, Array, Array]]:
    for chunk in chunks:
        with h5py.File(chunk, "r") as file:
            yield file["p"][()], file["truth"][()], file["y"][()]
