"""Bad files: one line with file, expectation and remedy; the cache stays clean; other runs go on."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from bench.datasets.cms import CMS

from bench.contracts import BenchError

from .published import hdf5, jets, parquet


@pytest.fixture(scope="module")
def good():
    return jets(120)


@pytest.fixture
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def refusal(cache, *paths, **parameters) -> BenchError:
    """The error of loading files; nothing is left of them."""
    data = CMS(source="file", paths=[str(path) for path in paths], **parameters)
    with pytest.raises(BenchError) as error:
        data.load("train", 0)
    assert "\n" not in str(error.value)
    assert error.value.hint
    assert not [path for path in cache.rglob("*") if path.is_file()]
    return error.value


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.97])
@pytest.mark.parametrize("write", [parquet, hdf5])
def test_truncated(cache, tmp_path, good, write, keep):
    path = write(tmp_path / "cut", {name: values[:40] for name, values in good.items()})
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])
    error = refusal(cache, path)
    assert str(path) in error.message
    assert "cannot be read as" in error.message or "expected HDF5 or parquet" in error.message
    assert "fetch it again" in error.hint


@pytest.mark.parametrize(("write", "form"), [(parquet, "parquet"), (hdf5, "HDF5")])
def test_damaged_inside(cache, tmp_path, good, write, form):
    path = write(tmp_path / "damaged", good)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 4096] = bytes(4096)
    path.write_bytes(content)
    assert f"damaged: cannot be read as {form}" in refusal(cache, path).message


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda a: a | {"X_jets": a["X_jets"][:, :2]}, r"images of 3 channels of 125 x 125, got shape \(2, 125, 125\)"),
        (lambda a: a | {"X_jets": a["X_jets"][..., :124]}, r"got shape \(3, 125, 124\)"),
        (lambda a: a | {"X_jets": a["X_jets"].sum(1)}, r"got shape \(125, 125\)"),
        (lambda a: {name: a[name] for name in ("pt", "m0", "y")}, "expected 'X_jets', got m0, pt, y"),
        (lambda a: {name: a[name] for name in ("X_jets", "pt", "m0")}, "expected 'y', got X_jets, m0, pt"),
        (lambda a: {name: a[name] for name in ("X_jets", "pt", "y")}, "expected 'm0', got X_jets, pt, y"),
        (lambda a: a | {"y": a["y"][:-1]}, "y: expected 120 rows, got 119"),
        (lambda a: a | {"y": 2 * a["y"]}, "y: expected labels 0 and 1, got 2"),
        (lambda a: a | {"X_jets": 0 * a["X_jets"]}, "expected images, got 120 of 120 without a non-zero pixel"),
    ],
    ids=["channels", "side", "axes", "no images", "no labels", "no mass", "short labels", "labels", "all zero"],
)  # fmt: skip
def test_not_what_is_expected(cache, tmp_path, good, change, says):
    path = hdf5(tmp_path / "jets.h5", change(good))
    error = refusal(cache, path)
    assert str(path) in error.message
    with pytest.raises(BenchError, match=says):
        raise error


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_pixel_that_is_no_number(cache, tmp_path, good, value):
    images = good["X_jets"].copy()
    images[77, 1, 3, 4] = value
    path = hdf5(tmp_path / "jets.h5", good | {"X_jets": images})
    assert f"{path}: expected finite pixels, got NaN or infinity in row 77" in refusal(cache, path).message


def test_some_images_without_energy_are_left_out_and_counted(cache, tmp_path, good):
    images = good["X_jets"].copy()
    images[:10] = 0
    path = hdf5(tmp_path / "jets.h5", good | {"X_jets": images})
    data = CMS(source="file", paths=[str(path)], mirrored=False)
    assert sum(len(data.load(split, 0)) for split in ("train", "valid", "test")) == 110
    with h5py.File(next(cache.rglob("jets-*"))) as stored:
        assert stored.attrs["empty"] == 10


def test_conventions_that_change_within_a_file(cache, tmp_path, monkeypatch):
    monkeypatch.setattr("bench.datasets.cms.labels.PART", 200)
    parts = [jets(600, seed=1), jets(200, seed=2, quark=0)]
    mixed = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    error = refusal(cache, hdf5(tmp_path / "mixed.h5", mixed))
    assert "mixed.h5: mixed label conventions: label 1 is the quark in most of the file" in error.message
    assert "not in rows 600 to 799" in error.message


def test_conventions_that_change_between_files(cache, tmp_path):
    paths = [hdf5(tmp_path / f"{quark}.h5", jets(300, quark=quark)) for quark in (0, 1)]
    data = CMS(source="file", paths=[str(path) for path in paths])
    for ask in (data.facts, lambda: data.load("train", 0)):
        with pytest.raises(BenchError, match=r"mixed label conventions: label 0 is the quark in 0.* and label 1 in 1"):
            ask()


@pytest.mark.parametrize("suffix", [".part", ".crdownload", ".aria2"])
def test_still_being_downloaded(cache, tmp_path, good, monkeypatch, suffix):
    name = "QCDToGGQQ_IMGjet_RH1all_jet0_run0_n36272.test.snappy.parquet"
    folder = tmp_path / "data" / "cms"
    folder.mkdir(parents=True)
    path = parquet(folder / name, {key: values[:4] for key, values in good.items()})
    (folder / (name.replace("run0_n36272", "run1_n47540") + suffix)).write_bytes(b"PAR1")
    monkeypatch.setenv("BENCH_DATA", str(tmp_path / "data"))
    with pytest.raises(BenchError, match=r"run1_n47540.*still being downloaded; expected the whole file") as error:
        CMS(source="file").files()
    assert error.value.hint == "wait until it is complete"
    path.with_name(name + suffix).write_bytes(b"PAR1")
    assert "still being downloaded" in refusal(cache, path).message


def test_one_class_alone(cache, tmp_path):
    draw = np.random.default_rng(0)
    windows = {"X_jets": draw.random((40, 2, 32, 32), dtype=np.float32), "y": np.ones(40)}
    path = hdf5(tmp_path / "SingleElectron.hdf5", windows, last=True, key="X")
    data = CMS(kind="electron_photon", source="file", paths=[str(path)])
    with pytest.raises(BenchError, match=r"SingleElectron.hdf5: expected samples with labels 0 and 1, got 1"):
        data.load("train", 0)


def test_a_conversion_that_dies_leaves_nothing(cache, tmp_path, good, monkeypatch):
    from bench.datasets.cms.sparse import SparseWriter

    path = hdf5(tmp_path / "jets.h5", good)
    data = CMS(source="file", paths=[str(path)])
    with monkeypatch.context() as patch:
        patch.setattr(SparseWriter, "append", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            data.load("train", 0)
    assert not [found for found in cache.rglob("*") if found.is_file()]
    assert len(data.load("test", 0)) == 24


def test_other_runs_go_on(new_bench, tmp_path, good):
    bench = new_bench(noop=True)
    path = hdf5(tmp_path / "jets.h5", {name: good[name] for name in ("X_jets", "pt", "m0")})
    bench.write("cms_data.py", PLUGIN.format(path=path), head="")
    result = bench("run", "-m", "noop", "-d", "broken", "-d", "plane", "--budget", "smoke", code=1)
    records = bench.by("dataset")
    assert records["plane"]["status"] == "ok"
    assert records["broken"]["status"] == "failed"
    assert "jets.h5: expected 'y', got X_jets, m0, pt" in records["broken"]["reason"]
    assert "expected 'y'" in result.text
    assert not bench.leftovers()


PLUGIN = """
from dataclasses import dataclass
from bench.contracts import Dataset
from bench.datasets.cms import CMS

@dataclass(frozen=True)
class Broken(CMS, Dataset):
    source: str = "file"
    paths: tuple[str, ...] = ("{path}",)
"""
