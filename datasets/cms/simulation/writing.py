"""Image files: sparse, and the two schemas in which the CMS end-to-end images are published."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from ..sparse import SCHEMA, Cells, SparseImages

__all__ = ["FORMS", "write", "write_sparse"]

Array = NDArray[Any]
COLUMNS = ("pt", "m0", "y")
FILTERS: dict[str, Any] = {"compression": "gzip", "compression_opts": 9, "shuffle": True}
BLOCK = 64


def write_sparse(
    path: Path, shape: Sequence[int], cells: Cells, jets: dict[str, Array], value: type = np.float32
) -> None:
    """Sparse images of simulated jets; `jets` has pt, m0 and y, (N,); `value` is the type of the pixels."""
    index = np.uint16 if np.prod(shape) < 1 << 16 else np.uint32
    columns = {
        "offset": cells.offset.astype(np.int64), "cell": cells.cell.astype(index), "value": cells.value.astype(value),
        "pt": jets["pt"].astype(np.float32), "m0": jets["m0"].astype(np.float32), "y": jets["y"].astype(np.int8),
    }  # fmt: skip
    with h5py.File(path, "w") as file:
        file.attrs.update({"schema": SCHEMA, "shape": list(shape), "source": "simulated"})
        for name, column in columns.items():
            file.create_dataset(name, data=column, chunks=(max(1, min(len(column), 1 << 16)),), **FILTERS)


def write(chunks: Sequence[Path], path: Path, form: str) -> None:
    """The images in sparse files as one file.

    Arguments:
        form: a key of FORMS.
    """
    FORMS[form](chunks, path)


def _sparse(chunks: Sequence[Path], path: Path, value: type = np.float32) -> None:
    opened = [SparseImages(chunk) for chunk in chunks]
    blocks = [cells for images in opened for _, cells in images.blocks()]
    lengths = np.concatenate([np.diff(cells.offset) for cells in blocks])
    joined = Cells(
        np.concatenate([[0], np.cumsum(lengths)]),
        np.concatenate([cells.cell for cells in blocks]),
        np.concatenate([cells.value for cells in blocks]),
    )
    jets = {name: np.concatenate([getattr(images, name) for images in opened]) for name in COLUMNS}
    write_sparse(path, opened[0].shape, joined, jets, value)


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
