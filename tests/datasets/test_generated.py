"""Simulated jets: clustering against closed forms and brute force, and the same bytes for the same seed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from bench.datasets._simulation.clustering import cluster, cluster_with_members
from bench.datasets._simulation.generator import Particles
from bench.datasets.cms.simulation.build import ImageBuilder
from bench.datasets.cms.sparse import SparseImages
from bench.datasets.top_tagging.simulation.build import LEADING, JetBuilder

pytest.importorskip("pythia8mc")
pytest.importorskip("fastjet")


def massless(pt, eta, phi, event=None):
    pt, eta, phi = (np.asarray(part, float) for part in (pt, eta, phi))
    p = np.stack([pt * np.cosh(eta), pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta)], 1)
    event = np.zeros(len(pt), int) if event is None else event
    return Particles(event, p, np.full(len(pt), 22))


def test_the_mass_of_two_massless_particles_is_the_closed_form():
    pairs = massless([60, 40, 70, 30], [0.1, 0.3, -1.0, -1.2], [0.0, 0.1, 3.1, -3.1], np.array([0, 0, 1, 1]))
    jets = cluster(pairs, 2, 0.4, 50)
    first, second = 2 * 60 * 40 * (np.cosh(0.2) - np.cos(0.1)), 2 * 70 * 30 * (np.cosh(0.2) - np.cos(6.2))
    np.testing.assert_allclose(jets.mass, np.sqrt([first, second]), rtol=1e-6)
    assert jets.event.tolist() == [0, 1]


def test_jets_are_those_of_a_loop_over_all_pairs():
    draw = np.random.default_rng(0)
    event = np.repeat(np.arange(6), 40)
    particles = massless(draw.exponential(10, 240), draw.uniform(-2, 2, 240), draw.uniform(-np.pi, np.pi, 240), event)
    jets, jet, place = cluster_with_members(particles, 6, 0.8, 20)
    expected = [p for number in range(6) for p in _anti_kt(particles.p[event == number], 0.8, 20)]
    np.testing.assert_allclose(jets.p, expected, rtol=1e-9, atol=1e-9)
    total = np.stack([np.bincount(jet, particles.p[place, part], len(jets)) for part in range(4)], 1)
    np.testing.assert_allclose(total, jets.p, rtol=1e-9, atol=1e-9)
    same = np.diff(jet) == 0
    assert (np.diff(particles.pt[place])[same] <= 0).all()


def _anti_kt(p, radius, least):
    """Sequential recombination with d_ij = min(1/pT_i^2, 1/pT_j^2) (dy^2 + dphi^2) / R^2 and d_iB = 1/pT_i^2."""
    left, jets = list(p), []
    while left:
        best = (np.inf, 0, -1)
        for i, a in enumerate(left):
            best = min(best, (1 / (a[1] ** 2 + a[2] ** 2), i, -1))
            for j in range(i):
                best = min(best, (_distance(a, left[j], radius), i, j))
        _, i, j = best
        if j < 0:
            jets.append(left.pop(i))
        else:
            left[j] = left[j] + left.pop(i)
    jets = [jet for jet in jets if np.hypot(jet[1], jet[2]) > least]
    return sorted(jets, key=lambda jet: -np.hypot(jet[1], jet[2]))


def _distance(a, b, radius):
    rapidity = [0.5 * np.log((p[0] + p[3]) / (p[0] - p[3])) for p in (a, b)]
    phi = np.arctan2(a[2], a[1]) - np.arctan2(b[2], b[1])
    phi = np.mod(phi + np.pi, 2 * np.pi) - np.pi
    softest = 1 / max(a[1] ** 2 + a[2] ** 2, b[1] ** 2 + b[2] ** 2)
    return softest * ((rapidity[0] - rapidity[1]) ** 2 + phi**2) / radius**2


BUILDERS = {"cms": ImageBuilder(seed=3, pileup=2.0), "top_tagging": JetBuilder(seed=3)}


@pytest.fixture(scope="module", params=list(BUILDERS.values()), ids=list(BUILDERS))
def built(request, tmp_path_factory):
    """A builder, and a folder with two chunks."""
    folder: Path = tmp_path_factory.mktemp("built")
    for index in range(2):
        request.param.chunk(index, 24, folder / str(index))
    return request.param, folder


def test_a_chunk_does_not_depend_on_those_made_before_it(built, tmp_path):
    builder, folder = built
    replace(builder).chunk(1, 24, tmp_path / "1")
    assert (tmp_path / "1").read_bytes() == (folder / "1").read_bytes()
    assert (folder / "0").read_bytes() != (folder / "1").read_bytes()


def test_chunks_hold_what_was_asked_for(built):
    builder, folder = built
    if isinstance(builder, ImageBuilder):
        stored = SparseImages(folder / "0")
        assert stored.shape == (3, 125, 125)
        assert np.bincount(stored.y).tolist() == [12, 12]
        assert (stored.pt >= 70).all()
        assert np.isfinite(stored.m0).all()
        return
    with h5py.File(folder / "0") as file:
        p, truth, y = (file[name][()].astype(float) for name in ("p", "truth", "y"))
    total = p.sum(1)
    assert p.shape == (24, 200, 4)
    assert ((np.hypot(*total.T[1:3]) > 549) & (np.hypot(*total.T[1:3]) < 651)).all()
    np.testing.assert_allclose(p[..., 0], np.sqrt((p[..., 1:] ** 2).sum(-1)), rtol=1e-6)
    mass = np.sqrt(truth[:, 0] ** 2 - (truth[:, 1:] ** 2).sum(1))
    assert np.abs(mass[y == 1] - 172.5).max() < 25
    assert not truth[y == 0].any()


def test_the_reference_schema(built, tmp_path):
    builder, folder = built
    if isinstance(builder, ImageBuilder):
        pytest.skip("of top_tagging")
    pytest.importorskip("tables")
    pandas = pytest.importorskip("pandas")
    builder.join([folder / "0", folder / "1"], tmp_path / "table.h5", "table")
    builder.join([folder / "0", folder / "1"], tmp_path / "leading.h5", "leading")
    table = pandas.read_hdf(tmp_path / "table.h5", key="table")
    assert table.shape == (48, 806)
    assert list(table.columns[:4]) == ["E_0", "PX_0", "PY_0", "PZ_0"]
    assert list(table.columns[-6:]) == ["truthE", "truthPX", "truthPY", "truthPZ", "ttv", "is_signal_new"]
    with h5py.File(tmp_path / "leading.h5") as file:
        np.testing.assert_array_equal(file["p"][()].reshape(48, -1), table.to_numpy()[:, : 4 * LEADING])
        assert file["y"][()].tolist() == table["is_signal_new"].tolist()
