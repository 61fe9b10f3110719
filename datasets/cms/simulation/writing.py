"""Image files: sparse, and the two schemas in which the CMS end-to-end images are published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ..sparse import SCHEMA, Cells, SparseImages

__all__ = ["FORMS", "write", "write_sparse"]

Array = NDArray[Any]
COLUMNS = ("pt", "m0", "y")
FILTERS: dict[str, Any] = {"compression": "gzip", "compression_opts": 6, "shuffle": True}
BLOCK = 64


def write_sparse(path: Path, shape: Sequence[int], cells: Cells, jets: Mapping[str, Array]) -> None:
    """Sparse images of simulated jets; `jets` has pt, m0 and y, (N,)."""
    with h5py.File(path, "w") as file:
        _create(file, shape, len(cells), len(cells.cell), np.float32)
        _fill(file, slice(0, len(cells)), slice(0, len(cells.cell)), cells, jets)


def write(chunks: Sequence[Path], path: Path, form: str) -> None:
    """The images in sparse files as one file, without holding more than a part of one.

    Arguments:
        form: a key of FORMS.
    """
    FORMS[form](chunks, path)


def _create(file: h5py.File, shape: Sequence[int], images: int, pixels: int, value: type) -> None:
    """The data sets of so many sparse images, not yet filled."""
    file.attrs.update({"schema": SCHEMA, "shape": list(shape), "source": "simulated"})
    index = np.uint16 if np.prod(shape) < 1 << 16 else np.uint32
    columns = {
        "offset": (images + 1, np.int64), "cell": (pixels, index), "value": (pixels, value),
        "pt": (images, np.float32), "m0": (images, np.float32), "y": (images, np.int8),
    }  # fmt: skip
    for name, (length, kind) in columns.items():
        file.create_dataset(name, (length,), kind, chunks=(max(1, min(length, 1 << 16)),), **FILTERS)


def _fill(file: h5py.File, rows: slice, pixels: slice, cells: Cells, jets: Mapping[str, Array]) -> None:
    file["offset"][rows.start : rows.stop + 1] = pixels.start + cells.offset
    file["cell"][pixels], file["value"][pixels] = cells.cell, cells.value
    for name in COLUMNS:
        file[name][rows] = jets[name]


def _sparse(chunks: Sequence[Path], path: Path, value: type = np.float32) -> None:
    opened = [SparseImages(chunk) for chunk in chunks]
    with h5py.File(path, "w") as file:
        _create(file, opened[0].shape, sum(map(len, opened)), sum(int(part.offset[-1]) for part in opened), value)
        row = pixel = 0
        for images in opened:
            ((_, cells),) = images.blocks(len(images))
            rows, pixels = slice(row, row + len(cells)), slice(pixel, pixel + len(cells.cell))
            _fill(file, rows, pixels, cells, {name: getattr(images, name) for name in COLUMNS})
            row, pixel = rows.stop, pixels.stop


def _half(chunks: Sequence[Path], path: Path) -> None:
    _sparse(chunks, path, np.float16)


def _dense(chunks: Sequence[Path]) -> Iterator[tuple[Array, dict[str, Array]]]:
    """Blocks of dense images (B, C, H, W) float32 and their columns."""
    for chunk in chunks:
        images = SparseImages(chunk)
        size = int(np.prod(images.shape))
        for rows, cells in images.blocks(BLOCK):
            flat = np.zeros((len(cells), size), np.float32)
            flat[cells.image(), cells.cell.astype(np.int64)] = cells.value
            yield flat.reshape(-1, *images.shape), {name: getattr(images, name)[rows] for name in COLUMNS}


def _hdf5(chunks: Sequence[Path], path: Path) -> None:
    """`X_jets` (N, H, W, C), channels last, and `pt`, `m0`, `y`."""
    with h5py.File(path, "w") as file:
        file.attrs["source"] = "simulated"
        for images, columns in _dense(chunks):
            arrays = {"X_jets": images.transpose(0, 2, 3, 1), **columns}
            for name, array in arrays.items():
                if name not in file:
                    shape = array.shape[1:]
                    sizes: dict[str, Any] = {"maxshape": (None, *shape), "chunks": (min(BLOCK, len(array)), *shape)}
                    file.create_dataset(name, (0, *shape), array.dtype, **sizes, **FILTERS)
                before = len(file[name])
                file[name].resize(before + len(array), 0)
                file[name][before:] = array


def _parquet(chunks: Sequence[Path], path: Path) -> None:
    """`X_jets` as nested lists (C, H, W), `pt`, `m0`, `y`; one row group per jet, as published."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    image = pa.list_(pa.list_(pa.list_(pa.float32())))
    kinds = [("X_jets", image), *((name, pa.float64()) for name in COLUMNS)]
    schema = pa.schema(kinds, metadata={"source": "simulated"})
    with pq.ParquetWriter(path, schema, compression="snappy") as writer:
        for images, columns in _dense(chunks):
            for row, pixels in enumerate(images):
                values = [pa.array([float(columns[name][row])]) for name in COLUMNS]
                writer.write_table(pa.Table.from_arrays([_nested(pixels), *values], schema=schema), row_group_size=1)


def _nested(image: Array) -> Any:
    """One image (C, H, W) as one arrow value of nested lists."""
    import pyarrow as pa

    column = pa.array(image.reshape(-1))
    for length in reversed(image.shape):
        column = pa.ListArray.from_arrays(np.arange(0, len(column) + 1, length, dtype=np.int32), column)
    return column


FORMS = {"sparse": _sparse, "half": _half, "hdf5": _hdf5, "parquet": _parquet}
"""Sparse images of 32 and of 16 bits, and the published schemas, by name."""
