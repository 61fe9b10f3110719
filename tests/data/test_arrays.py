"""Readers accept what is expected and refuse anything else in one clear line."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bench.data import Expected, read_hdf5, read_idx, read_parquet
from bench.errors import BenchError

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}
JETS = {"X": Expected(("N", 3, 5, 5)), "y": Expected(("N",), "iu")}


def idx(array: np.ndarray) -> bytes:
    header = bytes([0, 0, CODES[array.dtype.str[1:]], array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(array.dtype.newbyteorder(">")).tobytes()


def jets(count: int = 8) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(0)
    return {"X": draw.random((count, 3, 5, 5), dtype=np.float32), "y": draw.integers(0, 2, count)}


def hdf5(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    with h5py.File(path, "w") as file:
        for key, array in arrays.items():
            file.create_dataset(key, data=array, fletcher32=True, chunks=array.shape)
    return path


def parquet(path: Path, arrays: dict[str, np.ndarray]) -> Path:
    pq.write_table(pa.table({key: pa.array(array.tolist()) for key, array in arrays.items()}), path)
    return path


FORMATS = [pytest.param(hdf5, read_hdf5, id="hdf5"), pytest.param(parquet, read_parquet, id="parquet")]


@settings(max_examples=40, deadline=None)
@given(
    array=st.sampled_from(sorted(CODES)).flatmap(
        lambda code: hnp.arrays(code, hnp.array_shapes(max_dims=3, max_side=5), elements={"allow_nan": False}
                                if code[0] == "f" else None)
    ),
    zipped=st.booleans(),
)  # fmt: skip
def test_idx_gives_back_what_was_written(tmp_path_factory, array, zipped):
    path = tmp_path_factory.mktemp("idx") / "a"
    path.write_bytes(gzip.compress(idx(array)) if zipped else idx(array))
    shape = tuple("abc"[: array.ndim])
    assert np.array_equal(read_idx(path, Expected(shape, "iuf")), array)


@settings(max_examples=60, deadline=None)
@given(cut=st.floats(0, 1, exclude_max=True), zipped=st.booleans())
def test_idx_cut_anywhere_is_refused(tmp_path_factory, cut, zipped):
    path = tmp_path_factory.mktemp("idx") / "images-idx3-ubyte"
    whole = idx(np.random.default_rng(0).integers(0, 256, (5, 4, 4)).astype("u1"))
    whole = gzip.compress(whole) if zipped else whole
    path.write_bytes(whole[: int(cut * len(whole))])
    with pytest.raises(BenchError, match="images-idx3-ubyte") as error:
        read_idx(path, Expected(("N", 4, 4), "u"))
    assert "\n" not in str(error.value)
    assert error.value.hint


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PK\3\4 a zip file", "expected an IDX file, 00 00 and a type first, got 50 4b 03 04"),
        (b"", "got an empty file"),
        (idx(np.zeros((5, 4, 4), "u1")) + b"x", r"expected 96 bytes for shape \(5, 4, 4\), got 97"),
        (idx(np.zeros((5, 4, 3), "u1")), r"expected shape \(N, 4, 4\), got \(5, 4, 3\)"),
        (idx(np.zeros((5, 4), "u1")), r"expected shape \(N, 4, 4\), got \(5, 4\)"),
        (idx(np.zeros((5, 4, 4), "f4")), "expected unsigned integer numbers, got floating point"),
        (gzip.compress(idx(np.zeros((5, 4, 4), "u1")), mtime=0)[:-9] + b"123456789", "cannot be decompressed"),
    ],
)
def test_idx_says_what_is_wrong(tmp_path, content, says):
    path = tmp_path / "file.gz"
    path.write_bytes(content)
    with pytest.raises(BenchError, match=says):
        read_idx(path, Expected(("N", 4, 4), "u"))


def test_labels_must_be_as_many_as_images(tmp_path):
    path = tmp_path / "labels"
    path.write_bytes(idx(np.zeros(4, "u1")))
    with pytest.raises(BenchError, match=r"expected shape \(5\), got \(4\)"):
        read_idx(path, Expected((5,), "u"))


@pytest.mark.parametrize(("write", "read"), FORMATS)
def test_tables_give_back_what_was_written(tmp_path, write, read):
    arrays = jets()
    found = read(write(tmp_path / "jets", arrays), JETS)
    assert {key: value.shape for key, value in found.items()} == {"X": (8, 3, 5, 5), "y": (8,)}
    assert all(np.allclose(found[key], arrays[key]) for key in arrays)


@pytest.mark.parametrize(("write", "read"), FORMATS)
@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda a: {"X": a["X"]}, "expected 'y', got X"),
        (lambda a: a | {"X": a["X"][:, :2]}, r"X: expected shape \(N, 3, 5, 5\), got \(8, 2, 5, 5\)"),
        (lambda a: a | {"y": a["y"][:, None]}, r"y: expected shape \(8\), got \(8, 1\)"),
        (lambda a: a | {"y": a["y"] + 0.5}, "y: expected integer or unsigned integer numbers, got floating point"),
    ],
)
def test_tables_say_what_is_wrong(tmp_path, write, read, change, says):
    path = write(tmp_path / "jets", change(jets()))
    with pytest.raises(BenchError, match=says) as error:
        read(path, JETS)
    assert str(path) in str(error.value)
    assert error.value.hint


def test_hdf5_counts_must_agree(tmp_path):
    path = hdf5(tmp_path / "jets.h5", jets() | {"y": np.zeros(7, int)})
    with pytest.raises(BenchError, match=r"y: expected shape \(8\), got \(7\)"):
        read_hdf5(path, JETS)


def test_ragged_and_missing_parquet_cells_are_refused(tmp_path):
    ragged, missing = tmp_path / "ragged", tmp_path / "missing"
    pq.write_table(pa.table({"X": [[1.0, 2.0], [3.0]]}), ragged)
    pq.write_table(pa.table({"X": [[1.0, None], [3.0, 4.0]]}), missing)
    with pytest.raises(BenchError, match=r"expected lists of one length, got lengths \(1, 2\)"):
        read_parquet(ragged, {"X": Expected(("N", 2))})
    with pytest.raises(BenchError, match="expected a number everywhere, got 1 missing"):
        read_parquet(missing, {"X": Expected(("N", 2))})


@pytest.mark.parametrize(("write", "read"), FORMATS)
@pytest.mark.parametrize("keep", [0.0, 0.1, 0.5, 0.9])
def test_a_table_cut_short_is_refused(tmp_path, write, read, keep):
    path = write(tmp_path / "jets", jets(200))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep * len(whole))])
    with pytest.raises(BenchError, match="jets") as error:
        read(path, JETS)
    assert "\n" not in str(error.value)


def test_hdf5_with_damaged_numbers_is_refused(tmp_path):
    arrays = jets(200)
    path = hdf5(tmp_path / "jets.h5", arrays)
    whole = path.read_bytes()
    inside = whole.index(arrays["X"].tobytes()[:64]) + 1000
    path.write_bytes(whole[:inside] + bytes([whole[inside] ^ 255]) + whole[inside + 1 :])
    with pytest.raises(BenchError, match="cannot be read as HDF5"):
        read_hdf5(path, JETS)


@pytest.mark.parametrize("read", [read_hdf5, read_parquet])
def test_a_missing_table_is_refused(tmp_path, read):
    with pytest.raises(BenchError, match="no such file"):
        read(tmp_path / "nothing", JETS)


def test_a_missing_idx_is_refused(tmp_path):
    with pytest.raises(BenchError, match="no such file"):
        read_idx(tmp_path / "nothing", Expected(("N",)))
