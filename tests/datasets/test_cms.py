"""CMS images: what comes out of published files, however they are laid out, and of the packaged samples."""

from __future__ import annotations

import os
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from bench.datasets.cms import CMS, CMSReal
from bench.datasets.cms.images import Preparation, scaled
from bench.datasets.cms.sparse import Cells, SparseImages, SparseWriter
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bench.contracts import BenchError, MatrixSymmetry

from .published import hdf5, jets, parquet

DATA = [Path(folder) / "cms" for folder in os.environ.get("BENCH_DATA", "").split(os.pathsep) if folder]
needs_real = pytest.mark.skipif(
    not any((folder / "cms_ispy_real_jets.h5").is_file() for folder in DATA), reason="BENCH_DATA has no real jets"
)
SPLITS = ("train", "valid", "test")


@pytest.fixture(scope="module")
def sample():
    return jets(200)


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def whole(path: Path, **parameters) -> dict[int, torch.Tensor]:
    """All images of a file as they are published, by the label."""
    plain = {"scaling": "none", "crop": 125, "size": 125, "threshold": 0.0, "negatives": True, "mirrored": False}
    data = CMS(source="file", paths=[str(path)], **plain | parameters)
    parts = [data.load(split, 0) for split in SPLITS]
    x, y = torch.cat([part.x for part in parts]), torch.cat([part.y for part in parts])
    return {label: x[y == label] for label in (0, 1)}


def totals(images: torch.Tensor) -> torch.Tensor:
    """A fingerprint of a set of images: their sums by channel, in order."""
    return images.double().sum((2, 3)).sort(0).values


@pytest.mark.parametrize("layout", ["parquet", "first", "last", "X"])
def test_every_layout_gives_the_same_images(tmp_path, sample, layout):
    if layout == "parquet":
        path = parquet(tmp_path / "jets.parquet", sample)
    else:
        path = hdf5(tmp_path / "jets.h5", sample, last=layout == "last", key="X" if layout == "X" else "X_jets")
    found = whole(path)
    for label in (0, 1):
        wanted = torch.from_numpy(sample["X_jets"][sample["y"] == label])
        assert found[label].shape == (100, 3, 125, 125)
        assert torch.allclose(totals(found[label]), totals(wanted), rtol=1e-5, atol=1e-4)
        assert any(torch.equal(found[label][0], image) for image in wanted)


@pytest.mark.parametrize("quark", [0, 1])
def test_the_quark_gets_label_1_whatever_the_file_says(tmp_path, quark):
    path = hdf5(tmp_path / "jets.h5", jets(400, quark=quark))
    data = CMS(source="file", paths=[str(path)])
    assert data.facts()["source"] == "file"
    assert f"the file's label {quark} is the quark" in data.facts()["labels"]
    cells = {label: (images != 0).sum((1, 2, 3)).double().mean() for label, images in whole(path).items()}
    assert cells[1] < 0.9 * cells[0]
    with h5py.File(next((tmp_path / "cache").rglob("jets-*"))) as stored:
        assert stored.attrs["quark"] == quark


def test_jets_that_do_not_tell_are_refused_until_the_user_says(tmp_path):
    alike = jets(200)
    alike["y"] = np.random.default_rng(1).integers(0, 2, 200) * 1.0
    path = hdf5(tmp_path / "jets.h5", alike)
    data = CMS(source="file", paths=[str(path)])
    for ask in (data.facts, lambda: data.load("train", 0)):
        with pytest.raises(BenchError, match=r"jets.h5: cannot tell which label is the quark.*expected both beyond 5"):
            ask()
    said = CMS(source="file", paths=[str(path)], quark=0)
    assert "as was asked for" in said.facts()["labels"]
    counts = np.bincount(np.concatenate([said.load(split, 0).y.numpy() for split in ("valid", "test")]))
    assert counts.sum() == 60
    flipped = CMS(source="file", paths=[str(path)], quark=1).load("test", 0).y
    assert torch.equal(said.load("test", 0).y, 1 - flipped)


def pooled(images: np.ndarray, crop: int, size: int) -> torch.Tensor:
    """Images in GeV, nothing suppressed."""
    made = Preparation(tuple(range(images.shape[1])), False, 0.0, True, crop, size, "none")
    dense = made.dense(Cells.of(images), images.shape[1:], made.shares(images.shape[1:]))
    return torch.from_numpy(dense).double()


WINDOWS = [(64, 32), (128, 32), (64, 64), (48, 20), (125, 125), (125, 25), (63, 21)]


@pytest.mark.parametrize(("crop", "size"), WINDOWS)
def test_pooling_keeps_the_energy_in_the_window(sample, crop, size):
    dense = torch.from_numpy(sample["X_jets"][:20]).double()
    first = (125 - crop) / 2
    crystal = torch.arange(125)
    share = ((crystal + 1).clamp(max=first + crop) - crystal.clamp(min=first)).clamp(min=0).double()
    wanted = torch.einsum("nchw,h,w->nc", dense, share, share)
    assert torch.allclose(pooled(sample["X_jets"][:20], crop, size).sum((2, 3)), wanted, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(("crop", "size"), WINDOWS)
def test_the_pooled_image_of_a_mirror_image_is_the_mirror_image(crop, size):
    energies = np.random.default_rng(0).integers(-9, 9, (4, 1, 125, 125)).astype(np.float32)
    straight = pooled(energies, crop, size)
    for axis in (2, 3):
        mirrored = pooled(np.flip(energies, axis), crop, size)
        assert torch.allclose(mirrored, straight.flip(axis), atol=1e-5)
        if (crop, size) in ((64, 32), (128, 32)):  # halves and quarters of whole numbers: nothing is rounded
            assert torch.equal(mirrored, straight.flip(axis))


@pytest.mark.parametrize(("crop", "size"), WINDOWS)
def test_the_central_crystal_is_in_the_middle_of_the_pooled_image(crop, size):
    spot = np.zeros((1, 1, 125, 125), np.float32)
    spot[0, 0, 62, 62] = 1
    image = pooled(spot, crop, size)[0, 0]
    place = torch.arange(size).double() - (size - 1) / 2
    for mean in (image.sum(0) @ place, image.sum(1) @ place):
        assert mean.item() == pytest.approx(0, abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(st.integers(8, 24).flatmap(lambda crop: st.tuples(st.just(crop), st.integers(8, crop))))
def test_pooling_is_that_of_a_grid_so_fine_that_no_border_cuts_it(window):
    crop, size = window
    image = np.random.default_rng(crop).random((1, 1, 9, 9), np.float32)
    fine = torch.from_numpy(image).double().repeat_interleave(2 * size, 2).repeat_interleave(2 * size, 3)
    margin = size * (crop - 9)
    framed = torch.nn.functional.pad(fine, (margin,) * 4)
    by_torch = torch.nn.functional.avg_pool2d(framed, 2 * crop) * (crop / size) ** 2
    assert torch.allclose(pooled(image, crop, size), by_torch, atol=1e-5)


def test_suppression_negatives_restoration_and_scaling():
    image = np.zeros((1, 3, 125, 125), np.float32)
    image[0, 0, 62, 62], image[0, 1, 60, 62], image[0, 1, 62, 70], image[0, 2, 62, 62] = 4.0, -0.5, 5e-4, 0.2
    cells = Cells.of(image)

    def made(**changes):
        chosen = {"restore": False, "threshold": 1e-3, "negatives": True, "scaling": "none"} | changes
        recipe = Preparation((0, 1, 2), crop=63, size=63, **chosen)
        dense = recipe.dense(cells, image.shape[1:], recipe.shares(image.shape[1:]))
        return scaled(dense, recipe.scaling)[0]

    assert sorted(made()[made() != 0].tolist()) == pytest.approx([-0.5, 0.2, 4.0])
    assert sorted(made(threshold=1e-4)[made(threshold=1e-4) != 0].tolist()) == pytest.approx([-0.5, 5e-4, 0.2, 4.0])
    assert made(negatives=False).min() == 0
    assert made(restore=True)[2].max() == pytest.approx(5.0)
    root, log = made(scaling="sqrt"), made(scaling="log")
    assert (root.max(), root.min()) == (pytest.approx(2.0), pytest.approx(-(0.5**0.5)))
    assert (log.max(), log.min()) == (pytest.approx(np.log(41)), pytest.approx(-np.log(6)))


@settings(max_examples=12, deadline=None)
@given(
    hnp.arrays(
        np.float32, st.tuples(st.integers(1, 9), st.just(2), st.just(6), st.just(6)),
        elements=st.floats(-1, 1, width=32).map(lambda v: v if abs(v) > 0.7 else 0.0),
    )
)  # fmt: skip
def test_the_sparse_store_gives_back_what_was_written(tmp_path_factory, images):
    path = tmp_path_factory.mktemp("sparse") / "images"
    half = len(images) // 2
    with SparseWriter(path, images.shape[1:], "file") as writer:
        for part in (images[:half], images[half:]):
            writer.append(Cells.of(part), {"y": np.ones(len(part)), "pt": np.arange(len(part)) + 1.0})
    stored = SparseImages(path)
    assert stored.shape == (2, 6, 6)
    assert stored.source == "file"
    assert stored.y.tolist() == [1] * len(images)
    assert np.isnan(stored.m0).all()
    for rows, cells in stored.blocks(4):
        dense = np.zeros((len(cells), 72), np.float32)
        dense[cells.image(), cells.cell] = cells.value
        assert np.array_equal(dense.reshape(-1, 2, 6, 6), images[rows])
        assert all(np.all(np.diff(part.astype(int)) > 0) for part in np.split(cells.cell, cells.offset[1:-1]))


def test_splits_are_disjoint_fixed_for_the_test_and_drawn_by_the_seed(tmp_path, sample):
    data = CMS(source="file", paths=[str(hdf5(tmp_path / "jets.h5", sample))], mirrored=False)
    rows = {split: {x.numpy().tobytes() for x in data.load(split, 1).x} for split in SPLITS}
    assert [len(rows[split]) for split in SPLITS] == [140, 20, 40]
    assert len(rows["train"] | rows["valid"] | rows["test"]) == 200
    assert torch.equal(data.load("test", 1).x, data.load("test", 2).x)
    assert not torch.equal(data.load("train", 1).x, data.load("train", 2).x)


def test_training_images_come_in_their_mirror_images(tmp_path, sample):
    data = CMS(source="file", paths=[str(hdf5(tmp_path / "jets.h5", sample))])
    train = data.load("train", 0)
    original, eta, phi, both = train.x.chunk(4)
    assert torch.equal(eta, original.flip(2))
    assert torch.equal(phi, original.flip(3))
    assert torch.equal(both, original.flip(2, 3))
    assert torch.equal(train.y, train.y[:140].repeat(4))
    assert len(data.load("test", 0)) == 40


def test_standardised_channels_have_unit_deviation_and_empty_pixels(tmp_path, sample):
    path = str(hdf5(tmp_path / "jets.h5", sample))
    x = CMS(source="file", paths=[path], standardise=True, mirrored=False).load("train", 0).x
    assert torch.allclose(x.std((0, 2, 3)), torch.ones(3), atol=0.1)
    assert (x == 0).double().mean() > 0.5


@pytest.mark.parametrize(("kind", "shape"), [("quark_gluon", (3, 24, 24)), ("electron_photon", (2, 32, 32))])
def test_packaged_samples_load_and_say_that_they_are_simulated(kind, shape):
    data = CMS(kind=kind)
    assert data.facts() == {"source": "simulated"}
    test = data.load("test", 0)
    assert test.x.shape[1:] == shape == data.actions()["image_affine"].shape
    assert set(test.y.tolist()) == {0, 1}
    assert torch.isfinite(test.x).all()
    for name, oracle in data.oracles().items():
        assert torch.isfinite(oracle.eval()(test.x[:4])).all(), name


def test_packaged_quarks_are_narrower_than_gluons():
    test = CMS(scaling="none").load("test", 0)
    girth = CMS(scaling="none").oracles()["girth"](test.x)[:, 0]
    assert girth[test.y == 1].median() < 0.95 * girth[test.y == 0].median()


def test_truths_follow_the_table_and_nothing_is_known_of_a_classifier():
    data = CMS()
    rotation = data.truth("image_affine", "girth")
    assert isinstance(rotation, MatrixSymmetry)
    assert rotation.K == 1
    generator = rotation.generators[0]
    assert torch.equal(generator, -generator.T)
    assert data.truth("image_affine", "logits") is None
    assert data.truth("field", "girth") is None
    assert data.truth("image_affine", "nonsense") is None
    sample = data.truth("image_affine", "sample")
    assert (sample.K, sample.M) == (0, 2)


def test_electrons_are_bent_to_one_side():
    data = CMS(kind="electron_photon")
    train = data.load("train", 0)
    assert len(train) == 2 * len(data.plain().load("train", 0))
    assert torch.equal(train.x.chunk(2)[1], train.x.chunk(2)[0].flip(2))
    assert data.truth("image_affine", "sample").M == 1
    windows = data.load("test", 0).x[:, 0]
    windows = windows[windows.sum((1, 2)) > 0]
    column = torch.arange(32.0) - 15.5
    aside = (windows.sum(1) @ column) / windows.sum((1, 2))
    assert aside.mean() > 5 * aside.std() / len(aside) ** 0.5


@needs_real
def test_real_jets_have_no_labels_and_only_formulas():
    data = CMSReal()
    assert "logits" not in data.oracles()
    assert data.facts() == {"source": "file"}
    parts = [data.load(split, 0) for split in SPLITS]
    assert len(parts[0]) // 4 + len(parts[1]) + len(parts[2]) == 631
    assert all(part.y.eq(-1).all() for part in parts)
    every = CMSReal(least_pt=0, negatives=True, scaling="none", mirrored=False)
    assert sum(len(every.load(split, 0)) for split in SPLITS) == 1047


@needs_real
def test_real_images_are_those_of_the_file(tmp_path):
    path = next(folder / "cms_ispy_real_jets.h5" for folder in DATA if (folder / "cms_ispy_real_jets.h5").is_file())
    with h5py.File(path) as file:
        wanted = torch.from_numpy(file["X_jets"][()])
    every = CMSReal(least_pt=0, negatives=True, scaling="none", mirrored=False, crop=125, size=125, threshold=0)
    found = torch.cat([every.load(split, 0).x for split in SPLITS])
    assert torch.allclose(totals(found), totals(wanted), rtol=1e-5, atol=1e-3)
    assert found.min() == wanted.min() < 0


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"kind": "muon"}, "allowed are quark_gluon, electron_photon, boosted_top"),
        ({"source": "internet"}, "allowed are simulated, file and download"),
        ({"size": 4}, "crop = 48, size = 4; allowed are 8 <= size <= crop <= 128"),
        ({"size": 128, "crop": 64}, "allowed are 8 <= size <= crop <= 128"),
        ({"size": 0}, "crop = 48, size = 0; allowed are 8 <= size <= crop <= 128"),
        ({"crop": 0}, "crop = 0, size = 24; allowed are 8 <= size <= crop <= 128"),
        ({"crop": 200}, "allowed are 8 <= size <= crop <= 128"),
        ({"scaling": "cube"}, "allowed are 'none', 'sqrt' and 'log'"),
        ({"quark": 2}, "allowed are 0, 1 and null"),
        ({"paths": ["x.h5"]}, "paths are given and source = 'simulated'"),
        ({"images": 3}, "expected at least 10"),
    ],
)
def test_impossible_parameters_are_refused(parameters, says):
    with pytest.raises(BenchError, match=says):
        CMS(**parameters)


def test_a_channel_that_is_not_there_is_refused():
    with pytest.raises(BenchError, match="different numbers from 0 to 2"):
        CMS(channels=(3,)).load("test", 0)


def test_nothing_stands_in_for_what_is_not_there(monkeypatch, tmp_path):
    monkeypatch.setenv("BENCH_DATA", str(tmp_path))
    with pytest.raises(BenchError, match=r"no file QCDToGGQQ.* in cms/ of any folder of BENCH_DATA"):
        CMS(source="file").files()
    with pytest.raises(BenchError, match="cannot be fetched unasked"):
        CMS(source="download").files()
    with pytest.raises(BenchError, match="no sample of boosted_top comes with the suite"):
        CMS(kind="boosted_top").files()
