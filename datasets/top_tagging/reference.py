"""The files of the top tagging reference sample (Zenodo 2603256)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from bench.data import REMEDY
from bench.errors import BenchError

__all__ = ["CONSTITUENTS", "read_reference"]

CONSTITUENTS = 200
NUMBERS = 4 * CONSTITUENTS + 4
TABLE = "table/table"
ROWS = 4096
Array = NDArray[Any]


def read_reference(path: Path, jets: int, constituents: int, draw: np.random.Generator) -> tuple[Array, Array]:
    """So many jets at random from a file: momenta (N, constituents, 4) float32, labels (N,), 1 for top.

    The file is a pandas table, key `table`: in each row 200 constituents by falling pT as E, px, py, pz, the four of
    the top quark, and two integers, `ttv` and `is_signal_new`. It is read as a stream.

    Raises:
        BenchError: damaged, of another layout, or compressed with a filter that is not installed.
    """
    try:
        with h5py.File(path, "r") as file:
            table = file.get(TABLE)
            if not isinstance(table, h5py.Dataset) or not _as_published(table.dtype):
                found = table.dtype if isinstance(table, h5py.Dataset) else ", ".join(file) or "nothing"
                wanted = f"{TABLE} with {NUMBERS} numbers and 2 integers a row"
                raise BenchError(f"{path}: expected {wanted}, got {str(found)[:200]}", REMEDY)
            chosen = np.sort(draw.permutation(len(table))[:jets])
            p = np.empty((len(chosen), constituents, 4), np.float32)
            y = np.empty(len(chosen), np.int64)
            for start in range(0, len(table), ROWS):
                first, last = np.searchsorted(chosen, (start, start + ROWS))
                if first < last:
                    block = table[start : start + ROWS][chosen[first:last] - start]
                    p[first:last] = block["values_block_0"][:, : 4 * constituents].reshape(-1, constituents, 4)
                    y[first:last] = block["values_block_1"][:, 1]
    except (OSError, RuntimeError, KeyError) as error:
        said = " ".join(str(error).split())[:200]
        missing = "filter" in said or "plugin" in said or "open directory" in said
        hint = "the file is compressed with Blosc: pip install hdf5plugin" if missing else REMEDY
        raise BenchError(f"{path}: cannot be read as HDF5, {said}", hint) from None
    if not np.isin(y, (0, 1)).all():
        raise BenchError(f"{path}: expected labels 0 and 1, got {y[~np.isin(y, (0, 1))][0]}", REMEDY)
    order = draw.permutation(len(y))
    return p[order], y[order]


def _as_published(dtype: Any) -> bool:
    """Whether rows are an index, 804 numbers and two integers."""
    shapes = {name: dtype[name].shape for name in dtype.names or ()}
    return shapes == {"index": (), "values_block_0": (NUMBERS,), "values_block_1": (2,)}
