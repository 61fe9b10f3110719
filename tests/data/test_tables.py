"""Tables read as streams, splits, and files made once."""

from __future__ import annotations

import os

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.data import Expected, derived, find_files, open_table, split_rows
from bench.errors import BenchError

WANTED = {"X": Expected(("N", 2, 3)), "y": Expected(("N",), "iu")}


def written(path, count, group, kind):
    draw = np.random.default_rng(count)
    arrays = {"X": draw.normal(size=(count, 2, 3)), "y": draw.integers(0, 9, count)}
    if kind == "hdf5":
        with h5py.File(path, "w") as file:
            for name, values in arrays.items():
                file.create_dataset(name, data=values, chunks=(min(group, count), *values.shape[1:]))
    else:
        columns = {"X": pa.array(arrays["X"].tolist()), "y": pa.array(arrays["y"]), "note": pa.array(["a"] * count)}
        pq.write_table(pa.table(columns), path, row_group_size=group)
    return arrays


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(1, 9), st.integers(1, 50), st.sampled_from(["hdf5", "parquet"]))
def test_a_stream_gives_the_whole_table_in_order(tmp_path_factory, count, group, rows, kind):
    path = tmp_path_factory.mktemp("table") / "table"
    arrays = written(path, count, group, kind)
    table = open_table(path)
    assert table.count == count
    assert {name: table.shapes[name] for name in WANTED} == {"X": (2, 3), "y": ()}
    blocks = list(table.blocks(WANTED, rows))
    for name, values in arrays.items():
        assert np.array_equal(np.concatenate([block[name] for block in blocks]), values)
    assert max(len(block["y"]) for block in blocks) <= (rows if kind == "parquet" else rows + group)


def test_a_row_group_is_not_held_decoded(tmp_path):
    count, dense = 20_000, 20_000 * 60 * 8
    pq.write_table(pa.table({"X": [[0.0] * 60] * count}), tmp_path / "table", row_group_size=count)
    before, held, rows = pa.total_allocated_bytes(), [], 0
    for block in open_table(tmp_path / "table").blocks({"X": Expected(("N", 60))}, 100):
        held.append(pa.total_allocated_bytes() - before)
        rows += len(block["X"])
    assert rows == count
    assert max(held) < dense / 4


@pytest.mark.parametrize("kind", ["hdf5", "parquet"])
def test_every_other_block(tmp_path, kind):
    arrays = written(tmp_path / "table", 40, 5, kind)
    blocks = [block["y"] for block in open_table(tmp_path / "table").blocks(WANTED, 5, every=3)]
    assert np.array_equal(np.concatenate(blocks), np.concatenate([arrays["y"][i : i + 5] for i in (0, 15, 30)]))


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"PAR1 and no more", b"\x89HDF\r\n\x1a\n and no more"])
def test_what_is_no_table_is_refused_in_one_line(tmp_path, content):
    path = tmp_path / "table"
    path.write_bytes(content)
    with pytest.raises(BenchError, match=r"table: (expected HDF5 or parquet|cannot be read as)") as error:
        open_table(path)
    assert "\n" not in str(error.value)
    assert error.value.hint


@given(st.integers(10, 2000), st.integers(0, 5))
def test_splits_divide_the_rows_and_the_seed_leaves_the_test_alone(count, seed):
    parts = {split: split_rows(count, split, seed) for split in ("train", "valid", "test")}
    assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(count))
    assert (len(parts["test"]), len(parts["valid"])) == (round(0.2 * count), round(0.1 * count))
    assert np.array_equal(parts["test"], split_rows(count, "test", seed + 1))


@pytest.fixture
def origin(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "origin.h5"
    path.write_text("one")
    return path


def test_a_file_is_made_once_and_anew_when_its_origin_or_recipe_changes(origin):
    made = []

    def make(part):
        made.append(part)
        part.write_text(origin.read_text())

    first = derived("cms", origin, "recipe", make)
    assert derived("cms", origin, "recipe", make) == first
    assert len(made) == 1
    derived("cms", origin, "another", make)
    origin.write_text("three")
    changed = derived("cms", origin, "recipe", make)
    assert len(made) == 3
    assert (first.read_text(), changed.read_text()) == ("one", "three")


def test_what_fails_leaves_nothing(origin):
    def make(part):
        part.write_text("half")
        raise BenchError("no more")

    with pytest.raises(BenchError, match="no more"):
        derived("cms", origin, "recipe", make)
    left = origin.parent / "cache" / "data" / "cms"
    assert list(left.iterdir()) == []
    dead = left / ".x.999999999.part"
    dead.write_text("half")
    derived("cms", origin, "recipe", lambda part: part.write_text("whole"))
    assert not dead.exists()


def test_files_are_found_in_the_first_folder_that_has_them(tmp_path, monkeypatch):
    folders = [tmp_path / name for name in ("a", "b", "c")]
    monkeypatch.setenv("BENCH_DATA", os.pathsep.join(map(str, folders)))
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    for folder in folders[1:]:
        (folder / "jets").mkdir(parents=True)
        (folder / "jets" / "run1.h5").touch()
    assert find_files("jets", ("run?.h5",), "") == [folders[1] / "jets" / "run1.h5"]
    with pytest.raises(BenchError, match=r"no file top.h5 in jets/ of any folder of BENCH_DATA \(ask\)"):
        find_files("jets", ("top.h5",), "ask")
    (folders[1] / "jets" / "run2.h5.crdownload").touch()
    with pytest.raises(BenchError, match="still being downloaded"):
        find_files("jets", ("run?.h5",), "")
