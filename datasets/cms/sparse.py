"""The sparse store of images: one HDF5 file, written as a stream and read back cropped and pooled."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from bench.data import REMEDY, reading
from bench.errors import BenchError

__all__ = ["Cells", "SparseImages", "SparseWriter", "is_sparse"]

SCHEMA = "sparse images 1"
PER_JET = {"pt": np.float32, "m0": np.float32, "y": np.int8}
CHUNK = 1 << 16
TOGETHER = 1 << 20
Array = NDArray[Any]


@dataclass(frozen=True)
class Cells:
    """The non-zero pixels of successive images.

    Arguments:
        offset: where each image begins and the last one ends, (N + 1,).
        cell: c H W + eta W + phi of each pixel, ascending within an image, (M,).
        value: what stands there, (M,).
    """

    offset: Array
    cell: Array
    value: Array

    @classmethod
    def of(cls, images: Array) -> Cells:
        """The non-zero pixels of dense images (N, C, H, W)."""
        flat = np.ascontiguousarray(images).reshape(len(images), math.prod(images.shape[1:]))
        found = np.flatnonzero(flat != 0)
        image, cell = np.divmod(found, flat.shape[1])
        offset = np.concatenate([[0], np.cumsum(np.bincount(image, minlength=len(flat)))])
        return cls(offset, cell, flat.reshape(-1)[found])

    def __len__(self) -> int:
        return len(self.offset) - 1

    def image(self) -> Array:
        """The image of each pixel, (M,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.offset))

    def where(self, kept: Array) -> Cells:
        """The images that are marked, (N,)."""
        lengths = np.diff(self.offset)
        pixels = np.repeat(kept, lengths)
        offset = np.concatenate([[0], np.cumsum(lengths[kept])])
        return Cells(offset, self.cell[pixels], self.value[pixels])


class SparseWriter:
    """Writes a sparse file as its images come; the file is complete once the context ends without an error.

    Arguments:
        shape: (C, H, W).
        source: "simulated", "file" or "download".
    """

    def __init__(self, path: Path, shape: Sequence[int], source: str) -> None:
        self.shape = tuple(shape)
        self.count = self.pixels = 0
        self.file = h5py.File(path, "w")
        self.file.attrs.update({"schema": SCHEMA, "shape": self.shape, "source": source})
        index = np.uint16 if math.prod(self.shape) < 1 << 16 else np.uint32
        self.types = {"cell": index, "value": np.float32, "offset": np.int64, **PER_JET}
        self.waiting: dict[str, list[Array]] = {name: [] for name in self.types}
        self.written = 0
        for name, kind in self.types.items():
            self.file.create_dataset(name, (0,), kind, maxshape=(None,), chunks=(CHUNK,))
        self.waiting["offset"].append(np.zeros(1, np.int64))

    def append(self, cells: Cells, per_jet: Mapping[str, Array]) -> None:
        """Images, with pt, m0 and y of each; where these are not given they are NaN and -1."""
        unknown = {name: np.full(len(cells), -1 if name == "y" else np.nan) for name in PER_JET}
        columns = {"cell": cells.cell, "value": cells.value, "offset": self.pixels + cells.offset[1:]}
        for name, values in {**columns, **unknown, **per_jet}.items():
            self.waiting[name].append(values.astype(self.types[name]))
        self.count += len(cells)
        self.pixels += len(cells.cell)
        if self.pixels - self.written > TOGETHER:
            self.flush()

    def flush(self) -> None:
        """Write what is waiting: many pixels at a time, uncompressed, which is read back four times as fast."""
        for name, parts in self.waiting.items():
            column = self.file[name]
            before, values = len(column), np.concatenate([np.zeros(0, self.types[name]), *parts])
            column.resize(before + len(values), 0)
            column[before:] = values
            parts.clear()
        self.written = self.pixels

    def __enter__(self) -> SparseWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.flush()
        self.file.close()


def is_sparse(path: Path) -> bool:
    """Whether a file is of this schema."""
    try:
        with h5py.File(path, "r") as file:
            return str(file.attrs.get("schema", "")) == SCHEMA
    except OSError:
        return False


class SparseImages:
    """The images in a sparse file.

    Arguments:
        shape: (C, H, W).
        attrs: what the file says of itself; `source` among it.
        pt, m0, y: of each image, (N,).

    Raises:
        BenchError: missing, damaged, or of another schema.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with reading(path, "sparse images", KeyError, RuntimeError), h5py.File(path, "r") as file:
            self.attrs = dict(file.attrs)
            if self.attrs.get("schema") != SCHEMA:
                raise BenchError(f"{path}: expected schema {SCHEMA!r}, got {self.attrs.get('schema')!r}", REMEDY)
            self.shape = tuple(int(n) for n in self.attrs["shape"])
            self.offset: Array = file["offset"][()].astype(np.int64)
            self.pt, self.m0, self.y = (file[name][()] for name in PER_JET)
            self.source = str(self.attrs["source"])
            pixels = len(file["cell"])
        lengths = {len(self.offset) - 1, len(self.pt), len(self.m0), len(self.y)}
        if len(lengths) > 1 or len(self.shape) != 3 or self.offset[-1] != pixels or np.any(np.diff(self.offset) < 0):
            raise BenchError(f"{path}: offsets, pixels and labels do not fit together", REMEDY)

    def __len__(self) -> int:
        return len(self.offset) - 1

    def blocks(self, images: int = 512) -> Iterator[tuple[slice, Cells]]:
        """All images in order, so many at a time, each block with its rows."""
        with reading(self.path, "sparse images", RuntimeError), h5py.File(self.path, "r") as file:
            for start in range(0, len(self), images):
                rows = slice(start, min(start + images, len(self)))
                offset = self.offset[rows.start : rows.stop + 1]
                pixels = slice(int(offset[0]), int(offset[-1]))
                value = file["value"][pixels].astype(np.float32, copy=False)
                yield rows, Cells(offset - offset[0], file["cell"][pixels], value)
