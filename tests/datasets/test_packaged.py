"""The samples that come with the suite."""

from __future__ import annotations

from pathlib import Path

import bench.datasets.cms
import bench.datasets.top_tagging
import h5py
import numpy as np
import pytest
from bench.datasets.cms.labels import extent
from bench.datasets.cms.sparse import SparseImages

CMS = Path(bench.datasets.cms.__file__).parent / "data"
TOP = Path(bench.datasets.top_tagging.__file__).parent / "data"


def test_they_take_eight_megabytes_together():
    assert sum(file.stat().st_size for folder in (CMS, TOP) for file in folder.iterdir()) < 8e6


IMAGES = [("quark_gluon", (3, 125, 125), 4000), ("electron_photon", (2, 32, 32), 1000)]


@pytest.mark.parametrize(("name", "shape", "least"), IMAGES)
def test_images_are_simulated_balanced_and_finite(name, shape, least):
    stored = SparseImages(CMS / f"{name}.h5")
    assert stored.shape == shape
    assert stored.source == "simulated"
    assert len(stored) >= least
    assert np.bincount(stored.y, minlength=2).min() > 0.45 * len(stored)
    for _, cells in stored.blocks():
        assert np.isfinite(cells.value).all()
        assert (np.diff(cells.cell.astype(int))[np.diff(cells.image()) == 0] > 0).all()


def test_gluon_jets_are_wider_and_have_more_cells():
    stored = SparseImages(CMS / "quark_gluon.h5")
    extents = np.concatenate([extent(cells, stored.shape) for _, cells in stored.blocks()])
    quark, gluon = extents[stored.y == 1], extents[stored.y == 0]
    error = np.hypot(quark.std(0), gluon.std(0)) / np.sqrt(len(quark))
    assert ((gluon.mean(0) - quark.mean(0)) / error > 10).all()


def test_tops_have_their_mass_and_order():
    with h5py.File(TOP / "top.h5") as file:
        p, y, source = file["p"][()].astype(float), file["y"][()], file.attrs["source"]
    assert source == "simulated"
    assert p.shape[0] >= 4000
    assert p.shape[1:] == (30, 4)
    pt = np.hypot(p[..., 1], p[..., 2])
    assert (np.diff(pt, axis=1) <= 1e-4).all()
    np.testing.assert_allclose(p[..., 0], np.sqrt((p[..., 1:] ** 2).sum(-1)), rtol=1e-6)
    total = p.sum(1)
    mass = np.sqrt(np.maximum(total[:, 0] ** 2 - (total[:, 1:] ** 2).sum(1), 0))
    assert 140 < np.median(mass[y == 1]) < 180
    assert np.median(mass[y == 0]) < 90
