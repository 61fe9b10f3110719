"""Files in the published layouts, generated: sparse images whose gluons are wider and have more cells."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

SIDE = 125


def jets(count: int, seed: int = 0, quark: int = 1, occupancy: float = 1.0) -> dict[str, np.ndarray]:
    """`X_jets` (N, 3, 125, 125), `pt`, `m0`, `y`; label `quark` has narrower jets with fewer cells."""
    draw = np.random.default_rng(seed)
    y = np.arange(count) % 2
    gluon = y != quark
    images = np.zeros((count, 3, SIDE, SIDE), np.float32)
    for channel, mean in enumerate((30, 120, 14)):
        cells = draw.poisson(occupancy * mean * np.where(gluon, 1.4, 1.0))
        image = np.repeat(np.arange(count), cells)
        wide = np.where(gluon, 12.0, 9.0)[image]
        row, column = ((SIDE // 2 + draw.normal(0, wide)).round().clip(0, SIDE - 1).astype(int) for _ in range(2))
        energy = draw.exponential(1.0, len(image)).astype(np.float32) - 0.05 * (channel == 1)
        if channel < 2:
            np.add.at(images, (image, channel, row, column), energy)
        else:
            for eta, phi in np.ndindex(5, 5):
                np.add.at(images, (image, channel, 5 * (row // 5) + eta, 5 * (column // 5) + phi), energy / 25)
    return {"X_jets": images, "pt": draw.uniform(80, 180, count), "m0": draw.uniform(5, 40, count), "y": y * 1.0}


def parquet(path: Path, columns: dict[str, np.ndarray]) -> Path:
    """Nested lists of pixels, one row group for each jet."""
    return parquet_of(path, [columns])


def parquet_of(path: Path, blocks: Iterable[dict[str, np.ndarray]]) -> Path:
    """The same, of blocks that follow each other."""
    writer = None
    for block in blocks:
        for row in range(len(block["y"])):
            arrays = {key: pa.array([values[row]]) for key, values in block.items() if key != "X_jets"}
            table = pa.table({"X_jets": _lists(block["X_jets"][row]), **arrays})
            writer = writer or pq.ParquetWriter(path, table.schema, compression="snappy")
            writer.write_table(table)
    assert writer is not None
    writer.close()
    return path


def _lists(image: np.ndarray) -> pa.Array:
    """A column with one image (C, H, W) in nested lists."""
    values: pa.Array = pa.array(image.reshape(-1).astype(np.float64))
    for length in reversed(image.shape):
        values = pa.ListArray.from_arrays(pa.array(np.arange(0, len(values) + 1, length, dtype=np.int32)), values)
    return values


def hdf5(path: Path, columns: dict[str, np.ndarray], *, last: bool = False, key: str = "X_jets") -> Path:
    """Dense images, channels first or last."""
    with h5py.File(path, "w") as file:
        for name, values in columns.items():
            if name == "X_jets":
                dense = np.moveaxis(values, 1, -1) if last else values
                file.create_dataset(key, data=dense, chunks=(min(16, len(dense)), *dense.shape[1:]), compression=1)
            else:
                file.create_dataset(name, data=values)
    return path
