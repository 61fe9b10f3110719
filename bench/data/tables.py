"""HDF5 and parquet files read row by row: memory does not grow with the file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from bench.data.arrays import REMEDY, Array, Expected, as_array, reading, unexpected
from bench.errors import BenchError

__all__ = ["Table", "open_table"]

LIMIT = 256 << 20
"""Bytes of one column that are held at a time, where the file's own blocks allow it."""


class Table(ABC):
    """Columns of equal length in a file.

    Arguments:
        shapes: column -> shape of one row.
        count: number of rows.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.count = 0

    def blocks(self, expected: Mapping[str, Expected], rows: int, every: int = 1) -> Iterator[dict[str, Array]]:
        """The named columns in the file's order, about so many rows at a time.

        Arguments:
            every: 1 reads all, 2 every second block, and so on.

        Raises:
            BenchError: damaged, without a column, or not what is expected.
        """
        for key in expected:
            if key not in self.shapes:
                raise unexpected(self.path, key, list(self.shapes))
        lengths: dict[str, int] = {}
        with self._reading():
            for block in self._blocks(list(expected), rows, every):
                for key, wanted in expected.items():
                    shape = (self.count, *block[key].shape[1:])
                    wanted.check(f"{self.path}, {key}", shape, block[key].dtype.kind, lengths)
                yield block

    def _reading(self) -> AbstractContextManager[None]:
        import pyarrow as pa

        return reading(self.path, self.format, RuntimeError, KeyError, pa.ArrowException)

    format: str

    @abstractmethod
    def _blocks(self, keys: list[str], rows: int, every: int) -> Iterator[dict[str, Array]]: ...


class HDF5Table(Table):
    """The data sets at the top of an HDF5 file that are as long as the longest of them."""

    format = "HDF5"

    def __init__(self, path: Path) -> None:
        import h5py

        super().__init__(path)
        with self._reading(), h5py.File(path, "r") as file:
            found = {key: item.shape for key, item in file.items() if isinstance(item, h5py.Dataset) and item.shape}
        self.count = max((shape[0] for shape in found.values()), default=0)
        for key, shape in found.items():
            if shape[0] != self.count:
                raise BenchError(f"{path}, {key}: expected {self.count} rows, got {shape[0]}", REMEDY)
            self.shapes[key] = shape[1:]

    def _blocks(self, keys: list[str], rows: int, every: int) -> Iterator[dict[str, Array]]:
        import h5py

        with h5py.File(self.path, "r") as file:
            columns = {key: file[key] for key in keys}
            step = max(_aligned(column, rows) for column in columns.values())
            for start in range(0, self.count, every * step):
                yield {key: column[start : start + step] for key, column in columns.items()}


class ParquetTable(Table):
    """The columns of a parquet file; nested lists of one length become further axes."""

    format = "parquet"

    def __init__(self, path: Path) -> None:
        import pyarrow as pa

        super().__init__(path)
        with self._reading(), self._open() as file:
            self.count = file.metadata.num_rows
            nothing = pa.RecordBatch.from_pylist([], schema=file.schema_arrow)
            first = next(file.iter_batches(1, use_threads=False), nothing)
            for key in first.schema.names:
                if _numeric(first.column(key).type):
                    self.shapes[key] = as_array(path, key, first.column(key)).shape[1:]

    def _open(self) -> Any:
        """The file; not buffered ahead, as that holds the bytes of all row groups that are asked for."""
        import pyarrow.parquet as pq

        return pq.ParquetFile(self.path, pre_buffer=False)

    def _blocks(self, keys: list[str], rows: int, every: int) -> Iterator[dict[str, Array]]:
        with self._open() as file:
            groups = file.num_row_groups
            together = max(1, rows * groups // max(1, self.count))
            wanted = [group for group in range(groups) if group // together % every == 0]
            for batch in file.iter_batches(rows, row_groups=wanted, columns=keys, use_threads=False):
                yield {key: as_array(self.path, key, batch.column(key)) for key in keys}


def open_table(path: Path) -> Table:
    """An HDF5 or a parquet file, told by its first bytes.

    Raises:
        BenchError: missing, neither of both, or cut short.
    """
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise BenchError(f"{path}: {error.strerror}", "fetch it, or correct the path") from None
    if head == b"\x89HDF\r\n\x1a\n":
        return HDF5Table(path)
    if head[:4] == b"PAR1":
        return ParquetTable(path)
    found = head[:4].hex(" ") or "nothing"
    raise BenchError(f"{path}: expected HDF5 or parquet, got a file that begins with {found}", REMEDY)


def _aligned(column: Any, rows: int) -> int:
    """About so many rows, in whole chunks of the file as long as these fit in memory."""
    if not column.chunks:
        return rows
    chunk = int(column.chunks[0])
    row = column.dtype.itemsize * column.size // max(1, len(column))
    aligned = -(-rows // chunk) * chunk
    return aligned if aligned * row <= LIMIT else rows


def _numeric(kind: Any) -> bool:
    import pyarrow as pa

    while pa.types.is_list(kind) or pa.types.is_large_list(kind):
        kind = kind.value_type
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
