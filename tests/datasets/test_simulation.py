"""The laws of the simulated detector; none of these needs the event generator."""

from __future__ import annotations

import sys

import h5py
import numpy as np
import pyarrow.parquet as pq
import pytest
from bench.datasets._simulation.generator import Particles
from bench.datasets._simulation.packages import package
from bench.datasets.cms.simulation.grid import COLUMNS, PHI_STEP, ROWS, SHARES, SIDE, STEP, TOWER, around, spread
from bench.datasets.cms.simulation.propagation import ECAL_RADIUS, ECAL_Z, FIELD, bending_radius, impact
from bench.datasets.cms.simulation.readout import ECAL_SEED, images
from bench.datasets.cms.simulation.response import BEAM_SPOT, Deposits, detect
from bench.datasets.cms.simulation.windows import electron_photon, shower_radii
from bench.datasets.cms.simulation.writing import FORMS, write, write_sparse
from bench.datasets.cms.sparse import Cells, SparseImages
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bench.errors import BenchError

LIGHT = 0.299792458


def test_one_gev_in_the_solenoid_bends_to_0_88_metres():
    assert bending_radius(1.0) == pytest.approx(1 / (LIGHT * 3.8), rel=1e-12)
    assert bending_radius(1.0) == pytest.approx(0.878, abs=1e-3)


@settings(deadline=None)
@given(st.floats(0.2, 50), st.floats(-2.2, 2.2), st.floats(-3, 3), st.sampled_from([-1, 1]), st.floats(-0.1, 0.1))
def test_charges_arrive_where_the_lorentz_force_takes_them(pt, eta, phi, charge, z0):
    step = 1e-4
    turn = -charge * LIGHT * FIELD / pt * step  # d(vx + i vy)/ds = -i q 0.3 B / pT (vx + i vy), the field along +z
    angle = phi + turn * (np.arange(200_000) + 0.5)
    x, y = step * np.cumsum(np.cos(angle)), step * np.cumsum(np.sin(angle))
    z = z0 + np.sinh(eta) * step * np.arange(1, len(angle) + 1)
    radius = np.hypot(x, y)
    out = (radius > ECAL_RADIUS) | (np.abs(z) > ECAL_Z)
    assume(out.any())  # else it curls up for longer than this test follows it
    end = out.argmax()
    assume(radius[end] > 0.05)  # an endcap at the beam line, where angles mean little
    seen = impact(*(np.array([value]) for value in (pt, pt * np.sinh(eta), phi, charge, z0)))
    assert seen[0][0] == pytest.approx(np.arcsinh(z[end] / radius[end]), abs=1e-3 / radius[end])
    assert np.cos(seen[1][0] - np.arctan2(y[end], x[end])) == pytest.approx(1, abs=1e-5 / radius[end])


def test_neutral_particles_fly_straight():
    eta = np.linspace(-2, 2, 9)
    seen, phi = impact(np.full(9, 3.0), 3 * np.sinh(eta), np.full(9, 0.7), np.zeros(9), np.zeros(9))
    np.testing.assert_allclose(seen, eta, atol=1e-12)
    np.testing.assert_allclose(phi, 0.7, atol=1e-12)


deposits = st.lists(st.tuples(st.floats(-2, 2), st.floats(-3.2, 3.2), st.floats(0, 100)), min_size=1, max_size=20)


@pytest.mark.parametrize("name", SHARES)
@given(deposits)
def test_sharing_keeps_the_energy(name, places):
    eta, phi, energy = np.array(places).T
    hits = spread(Deposits(np.arange(len(eta)), eta, phi, energy), SHARES[name])
    np.testing.assert_allclose(np.bincount(hits.event, hits.energy, len(eta)), energy, rtol=1e-9, atol=1e-12)


inside = st.floats(0.01, 0.99)


@pytest.mark.parametrize("name", SHARES)
@settings(max_examples=30, deadline=None)
@given(inside, inside, st.integers(-8, 8), st.integers(-400, 400))
def test_sharing_moves_with_the_deposit_by_whole_cells(name, across, along, rows, columns):
    share = SHARES[name]
    place = np.array([[across, along], [across + rows, along + columns]]) * share.tower
    hits = spread(Deposits(np.arange(2), place[:, 0] * STEP, place[:, 1] * PHI_STEP, np.ones(2)), share)
    first, second = (_map(hits[hits.event == event], share.tower) for event in range(2))
    np.testing.assert_allclose(np.roll(first, (rows, columns), (0, 1)), second, atol=1e-9)


def _map(hits, tower):
    filled = np.zeros((ROWS // tower, COLUMNS // tower))
    np.add.at(filled, (hits.row, hits.column), hits.energy)
    return filled


@pytest.mark.parametrize("tower", [1, TOWER])
def test_a_window_is_a_cut_out_of_the_map_around_its_seed(tower):
    draw = np.random.default_rng(0)
    eta, phi = draw.uniform(-2.4, 2.4, 400), draw.uniform(-np.pi, np.pi, 400)
    hits = spread(Deposits(np.zeros(400, int), eta, phi, draw.random(400)), tower=tower)
    row, column = np.array([15]), np.array([70])
    window = around(hits, np.array([0]), row, column, tower)[0]
    per, side = TOWER // tower, SIDE // tower
    centred = np.roll(_map(hits, tower), -(70 * per + per // 2 - side // 2), 1)
    top = 15 * per + per // 2 - side // 2
    np.testing.assert_allclose(window, centred[top : top + side, :side])


def test_a_jet_without_an_event_of_its_own_takes_no_hits():
    hits = spread(Deposits(np.arange(2), np.zeros(2), np.zeros(2), np.ones(2)))
    assert around(hits, np.array([-1, 0]), np.array([28]), np.array([0])).sum() == 1


def test_a_photon_keeps_its_energy_within_the_resolution():
    n = 4000
    p = np.tile([50.0, 50.0, 0.0, 0.0], (n, 1))
    found = detect(Particles(np.arange(n), p, np.full(n, 22)), n, np.random.default_rng(1))
    energy = np.bincount(found.photons.event, found.photons.energy, n)
    assert energy.mean() == pytest.approx(50, rel=2e-3)
    assert energy.std() == pytest.approx(50 * np.hypot(0.028 / np.sqrt(50), 0.005), rel=0.15)
    assert len(found.tracks.energy) == len(found.hadrons.energy) == 0
    assert found.photons.eta.std() == pytest.approx(BEAM_SPOT / ECAL_RADIUS, rel=0.1)


def test_no_noise_survives_without_energy_but_what_the_thresholds_let_through():
    quiet = np.zeros((40, SIDE, SIDE))
    made = images(quiet, quiet, np.zeros((40, 25, 25)), np.random.default_rng(0))
    assert made.shape == (40, 3, SIDE, SIDE)
    assert not made[:, 0].any()
    assert (made[:, 1] != 0).mean() < 1e-3
    assert 0 < (made[:, 2] != 0).mean() < 0.02


def test_noise_is_read_around_bright_crystals_and_negative_half_the_time():
    ecal = np.zeros((200, SIDE, SIDE))
    ecal[:, 62, 62] = 5 * ECAL_SEED
    made = images(np.zeros(1), ecal, np.zeros((200, 25, 25)), np.random.default_rng(0))[:, 1]
    ring = np.delete(made[:, 60:65, 60:65].reshape(200, -1), 12, 1)
    assert (ring != 0).all()
    assert (ring < 0).mean() == pytest.approx(0.5, abs=0.03)


def test_towers_cover_five_by_five_crystals_with_their_energy():
    towers = np.random.default_rng(2).gamma(1.0, 20, (3, 25, 25)) + 5
    made = images(np.zeros(1), np.zeros((3, SIDE, SIDE)), towers, np.random.default_rng(0))[:, 2]
    blocks = made.reshape(3, 25, TOWER, 25, TOWER)
    assert (blocks == blocks[:, :, :1, :, :1]).all()
    np.testing.assert_allclose(blocks.sum((2, 4)), towers, atol=1.5)


def test_nine_tenths_of_a_shower_lie_within_a_moliere_radius():
    radii = shower_radii(np.full(200, 50.0), np.random.default_rng(0), 500)
    assert (radii < 1).mean() == pytest.approx(0.9, abs=0.04)


def test_windows_hold_their_particle():
    made, y = electron_photon(300, np.random.default_rng(3))
    assert made.shape == (300, 2, 32, 32)
    assert set(y.tolist()) == {0, 1}
    full = made[:, 0].sum((1, 2))
    full = full[full > 0]
    assert 40 < full.min() < full.max() < 1.1 * 50 * np.cosh(1.4)
    assert not made[:, 1][made[:, 0] == 0].any()


@pytest.fixture(scope="module")
def chunks(tmp_path_factory):
    """Two sparse files of 3 and 2 images, and their dense images."""
    folder = tmp_path_factory.mktemp("chunks")
    draw = np.random.default_rng(5)
    dense = draw.normal(size=(5, 3, SIDE, SIDE)) * (draw.random((5, 3, SIDE, SIDE)) < 0.01)
    paths = []
    for name, rows in (("a", slice(0, 3)), ("b", slice(3, 5))):
        paths.append(folder / name)
        n = len(dense[rows])
        columns = {"pt": np.arange(n) + 80.0, "m0": np.arange(n) + 5.0, "y": np.arange(n) % 2}
        write_sparse(paths[-1], (3, SIDE, SIDE), Cells.of(dense[rows].astype(np.float32)), columns)
    return paths, dense.astype(np.float32)


@pytest.mark.parametrize("form", FORMS)
def test_every_format_holds_the_same_images(chunks, form, tmp_path):
    paths, dense = chunks
    path = tmp_path / "images"
    write(paths, path, form)
    read, y = {"hdf5": _hdf5, "parquet": _parquet}.get(form, _sparse)(path)
    np.testing.assert_allclose(read, dense, rtol=1e-3 if form == "half" else 0, atol=1e-6 if form == "half" else 0)
    assert y.tolist() == [0, 1, 0, 0, 1]


def _sparse(path):
    stored = SparseImages(path)
    ((_, cells),) = stored.blocks(len(stored))
    flat = np.zeros((len(stored), int(np.prod(stored.shape))), np.float32)
    flat[cells.image(), cells.cell.astype(int)] = cells.value
    assert stored.source == "simulated"
    return flat.reshape(-1, *stored.shape), stored.y


def _hdf5(path):
    with h5py.File(path) as file:
        assert file["X_jets"].shape == (5, SIDE, SIDE, 3)
        assert file.attrs["source"] == "simulated"
        return file["X_jets"][()].transpose(0, 3, 1, 2), file["y"][()]


def _parquet(path):
    file = pq.ParquetFile(path)
    assert file.num_row_groups == 5
    table = file.read()
    assert table.column_names == ["X_jets", "pt", "m0", "y"]
    return np.array(table["X_jets"].to_pylist(), np.float32), np.array(table["y"].to_pylist())


@pytest.mark.parametrize("name", ["pythia8mc", "fastjet", "awkward"])
def test_a_missing_package_is_named_with_the_remedy(name, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(BenchError, match=rf"{name}, which is not installed \(install symmetry-bench\[simulation\]"):
        package(name)
