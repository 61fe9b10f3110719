"""Arrays out of IDX, numpy, HDF5 and parquet files, held to what is expected of them."""

from __future__ import annotations

import gzip
import math
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError

__all__ = [
    "REMEDY", "Array", "Expected", "as_array", "read_hdf5", "read_idx", "read_npy", "read_npz", "read_parquet",
    "reading", "unexpected",
]  # fmt: skip

Array = NDArray[Any]
KINDS = {"f": "floating point", "i": "integer", "u": "unsigned integer", "b": "boolean"}
IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
REMEDY = "the file is damaged, still being downloaded, or not the one that is meant; fetch it again"


@dataclass(frozen=True)
class Expected:
    """What an array must look like.

    Arguments:
        shape: a number is that length, a letter any length, the same letter the same length in all arrays of a file.
        kinds: the numpy kinds that are allowed, of "f", "i", "u", "b".
    """

    shape: tuple[int | str, ...]
    kinds: str = "f"

    def check(self, where: str, shape: Sequence[int], kind: str, lengths: dict[str, int]) -> None:
        """Raises BenchError unless shape and kind fit; `lengths` collects what the letters stand for."""
        wanted = tuple(lengths.get(n, n) if isinstance(n, str) else n for n in self.shape)
        fits = len(wanted) == len(shape) and all(
            isinstance(n, str) or n == m for n, m in zip(wanted, shape, strict=True)
        )
        if not fits:
            raise BenchError(f"{where}: expected shape {_text(wanted)}, got {_text(shape)}", REMEDY)
        if kind not in self.kinds:
            allowed = " or ".join(KINDS[k] for k in self.kinds)
            raise BenchError(f"{where}: expected {allowed} numbers, got {KINDS.get(kind, f'kind {kind!r}')}", REMEDY)
        lengths.update({n: m for n, m in zip(self.shape, shape, strict=True) if isinstance(n, str)})


def read_idx(path: Path, expected: Expected) -> Array:
    """The array in an IDX file, plain or gzipped (http://yann.lecun.com/exdb/mnist).

    Raises:
        BenchError: missing, cut short, no IDX, or not what is expected.
    """
    try:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
    except FileNotFoundError:
        raise BenchError(f"{path}: no such file", "fetch it, or correct the path") from None
    except (OSError, EOFError, zlib.error) as error:
        raise BenchError(f"{path}: cannot be decompressed, {error}", REMEDY) from None
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in IDX_TYPES:
        raise BenchError(f"{path}: expected an IDX file, 00 00 and a type first, got {_hex(content)}", REMEDY)
    dtype, start = np.dtype(IDX_TYPES[content[2]]), 4 + 4 * content[3]
    if len(content) < start:
        raise BenchError(f"{path}: expected a header of {start} bytes, got {len(content)}", REMEDY)
    shape = struct.unpack(f">{content[3]}I", content[4:start])
    size = start + math.prod(shape) * dtype.itemsize
    if len(content) != size:
        raise BenchError(f"{path}: expected {size} bytes for shape {_text(shape)}, got {len(content)}", REMEDY)
    expected.check(str(path), shape, dtype.kind, {})
    return np.frombuffer(content, dtype, offset=start).reshape(shape).astype(dtype.newbyteorder("="))


def read_npy(path: Path, expected: Expected) -> Array:
    """The array in a file of numpy's own format; nothing pickled is opened.

    Raises:
        BenchError: missing, cut short, or not what is expected.
    """
    with reading(path, "npy", ValueError, EOFError):
        array: Array = np.load(path, allow_pickle=False)
    expected.check(str(path), array.shape, array.dtype.kind, {})
    return array


def read_npz(path: Path, expected: Mapping[str, Expected]) -> dict[str, Array]:
    """The named arrays of an archive of numpy's own format; nothing pickled is opened.

    Raises:
        BenchError: missing, cut short, damaged, without a key, or not what is expected.
    """
    lengths: dict[str, int] = {}
    arrays = {}
    with reading(path, "npz", ValueError, EOFError, zipfile.BadZipFile, zlib.error):
        opened = np.load(path, allow_pickle=False)
        if not isinstance(opened, np.lib.npyio.NpzFile):
            raise BenchError(f"{path}: expected an archive of arrays, got a single one", REMEDY)
        with opened as file:
            for key, wanted in expected.items():
                if key not in file:
                    raise unexpected(path, key, file.files)
                arrays[key] = file[key]
                wanted.check(f"{path}, {key}", arrays[key].shape, arrays[key].dtype.kind, lengths)
    return arrays


def read_hdf5(path: Path, expected: Mapping[str, Expected]) -> dict[str, Array]:
    """The named arrays of an HDF5 file.

    Raises:
        BenchError: missing, cut short, damaged, without a key, or not what is expected.
    """
    import h5py

    lengths: dict[str, int] = {}
    arrays = {}
    with reading(path, "HDF5", RuntimeError, KeyError), h5py.File(path, "r") as file:
        for key, wanted in expected.items():
            found = file.get(key)
            if not isinstance(found, h5py.Dataset):
                raise unexpected(path, key, list(file))
            wanted.check(f"{path}, {key}", found.shape, found.dtype.kind, lengths)
            arrays[key] = found[()]
    return arrays


def read_parquet(path: Path, expected: Mapping[str, Expected]) -> dict[str, Array]:
    """The named columns of a parquet file; nested lists of one length become further axes.

    Raises:
        BenchError: missing, cut short, damaged, without a column, or not what is expected.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    lengths: dict[str, int] = {}
    arrays = {}
    with reading(path, "parquet", pa.ArrowException):
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            for key in expected:
                if key not in names:
                    raise unexpected(path, key, names)
            table = file.read(columns=list(expected))
        for key, wanted in expected.items():
            arrays[key] = as_array(path, key, table.column(key).combine_chunks())
            wanted.check(f"{path}, {key}", arrays[key].shape, arrays[key].dtype.kind, lengths)
    return arrays


@contextmanager
def reading(path: Path, form: str, *errors: type[Exception]) -> Iterator[None]:
    """What goes wrong on reading a file, OSError and the given errors, as one BenchError that names it."""
    caught: tuple[type[Exception], ...] = (OSError, *errors)
    try:
        yield
    except FileNotFoundError:
        raise BenchError(f"{path}: no such file", "fetch it, or correct the path") from None
    except caught as error:
        told = " ".join(str(error).split())[:200]
        raise BenchError(f"{path}: cannot be read as {form}, {told}", REMEDY) from None


def as_array(path: Path, key: str, column: Any) -> Array:
    """A column of numbers, or of nested lists of numbers, as one array."""
    import pyarrow as pa

    shape = [len(column)]
    while pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        lengths = np.unique(column.value_lengths().to_numpy(zero_copy_only=False))
        if column.null_count or len(lengths) > 1:
            found = _text(lengths.tolist())
            raise BenchError(f"{path}, {key}: expected lists of one length, got lengths {found}", REMEDY)
        shape.append(int(lengths[0]) if len(lengths) else 0)
        column = column.flatten()
    if column.null_count:
        raise BenchError(f"{path}, {key}: expected a number everywhere, got {column.null_count} missing", REMEDY)
    return np.asarray(column.to_numpy(zero_copy_only=False)).reshape(shape)


def unexpected(path: Path, key: str, present: Sequence[str]) -> BenchError:
    """The error of a file without a key."""
    return BenchError(f"{path}: expected {key!r}, got {', '.join(sorted(present)) or 'nothing'}", REMEDY)


def _text(shape: Sequence[int | str]) -> str:
    return "(" + ", ".join(str(n) for n in shape) + ")"


def _hex(content: bytes) -> str:
    return content[:4].hex(" ") or "an empty file"
