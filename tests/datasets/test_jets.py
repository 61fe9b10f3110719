"""Jets as four-vectors: kinematics, published layouts, truths."""

from __future__ import annotations

import hashlib
import math
import os
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from bench.datasets._jets import JetLogits, four_vectors, on_shell
from bench.datasets.quark_gluon_jets import NAMES, QuarkGluonJets, masses
from bench.datasets.top_tagging import TopTagging
from bench.datasets.top_tagging.reference import read_reference
from hypothesis import given
from hypothesis import strategies as st

from bench.contracts import BenchError, MatrixSymmetry
from bench.data import Source

DATA = [Path(folder) / "jets" for folder in os.environ.get("BENCH_DATA", "").split(os.pathsep) if folder]
needs_jets = pytest.mark.skipif(
    not any((folder / NAMES[0]).is_file() for folder in DATA), reason="BENCH_DATA has no quark and gluon jets"
)
DATASETS = [pytest.param(TopTagging, id="top"), pytest.param(QuarkGluonJets, id="quark_gluon", marks=needs_jets)]
SPLITS = ("train", "valid", "test")


@given(st.floats(0.1, 1e4), st.floats(-4, 4), st.floats(-7, 7), st.floats(0, 2))
def test_four_vectors_have_the_kinematics_that_made_them(pt, y, phi, mass):
    E, px, py, pz = four_vectors(*(np.array(value) for value in (pt, y, phi, mass)))
    assert math.hypot(px, py) == pytest.approx(pt)
    assert 0.5 * math.log((E + pz) / (E - pz)) == pytest.approx(y, abs=1e-6)
    assert math.remainder(math.atan2(py, px) - phi, 2 * math.pi) == pytest.approx(0, abs=1e-9)
    assert E**2 - px**2 - py**2 - pz**2 == pytest.approx(mass**2, abs=1e-9 * E**2)


def test_what_is_no_particle_is_zero():
    assert not four_vectors(*np.zeros((4, 3))).any()


@given(st.integers(0, 100))
def test_massless_constituents_stay_massless_in_double_precision(seed):
    p = np.random.default_rng(seed).normal(0, 50, (20, 3))
    size = np.linalg.norm(p, axis=1, keepdims=True)
    light, heavy = (np.concatenate([np.hypot(size, m), p], 1).astype(np.float32) for m in (0.0, 0.2 * size))
    made = on_shell(light)
    assert made.dtype == np.float64
    assert np.all(made[:, 0] == np.linalg.norm(made[:, 1:], axis=1))
    assert np.array_equal(on_shell(heavy), heavy.astype(np.float64))


def test_a_momentum_that_is_no_number_is_refused():
    with pytest.raises(BenchError, match="expected finite momenta"):
        on_shell(np.array([[1.0, np.nan, 0, 0]]))


@pytest.mark.parametrize("dataset", DATASETS)
def test_samples_are_jets_in_double_precision(dataset):
    data = dataset(constituents=8)
    parts = {split: data.load(split, 0) for split in SPLITS}
    for part in parts.values():
        E, p = part.x[..., 0], part.x[..., 1:]
        assert part.x.dtype == torch.float64
        assert part.x.shape[1:] == (8, 4) == data.actions()["four_vector"].shape
        assert set(part.y.tolist()) == {0, 1}
        assert (p.norm(dim=-1) * (1 - 1e-12) <= E).all()
        pt = p[..., :2].norm(dim=-1)
        assert (pt[:, :-1] >= pt[:, 1:] * (1 - 1e-6)).all()
    rows = [{x.numpy().tobytes() for x in part.x} for part in parts.values()]
    assert len(rows[0] | rows[1] | rows[2]) == sum(map(len, rows))
    assert torch.equal(data.load("test", 1).x, parts["test"].x)
    assert not torch.equal(data.load("valid", 1).x, parts["valid"].x)


@pytest.mark.parametrize("dataset", DATASETS)
def test_true_generators_keep_their_formula(dataset):
    data = dataset()
    x = data.load("test", 0).x[:64]
    action = data.actions()["four_vector"]
    for name, formula in data.oracles().items():
        truth = data.truth("four_vector", name)
        if name == "logits":
            assert truth is None
            continue
        assert isinstance(truth, MatrixSymmetry)
        for generator in truth.generators.double():
            speed = action.velocity(generator[None], x).flatten(2).norm(dim=2).mean()
            g = torch.linalg.matrix_exp(0.05 * generator).expand(len(x), 4, 4)
            assert speed > 0
            assert torch.allclose(formula(action.act(g, x)), formula(x), rtol=1e-7, atol=1e-9), name


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_sample_has_the_rotations_about_the_beam_alone(dataset):
    truth = dataset().truth("four_vector", "sample")
    assert (truth.K, truth.M) == (1, 2)
    beam = torch.zeros(4, 4)
    beam[1, 2], beam[2, 1] = -1, 1
    assert torch.equal(truth.generators[0].abs(), beam.abs())


def test_packaged_top_jets_are_heavier():
    test = TopTagging().load("test", 0)
    mass = TopTagging().oracles()["mass"](test.x)[:, 0]
    assert 110 < mass[test.y == 1].median() < 180
    assert mass[test.y == 0].median() < 80
    assert TopTagging().facts() == {"source": "simulated"}


def test_logits_do_not_see_where_a_jet_is_in_azimuth():
    x = TopTagging().load("test", 0).x[:16]
    phi, angle = JetLogits(30).double().eval(), torch.tensor(1.3, dtype=torch.float64)
    turned = x.clone()
    turned[..., 1] = angle.cos() * x[..., 1] - angle.sin() * x[..., 2]
    turned[..., 2] = angle.sin() * x[..., 1] + angle.cos() * x[..., 2]
    assert torch.allclose(phi(turned), phi(x), atol=1e-6)


@needs_jets
def test_energyflow_jets_are_those_of_the_file():
    folder = next(folder for folder in DATA if (folder / NAMES[0]).is_file())
    particles, labels = (np.load(folder / name) for name in NAMES)
    data = QuarkGluonJets()
    x = torch.cat([data.load(split, 0).x for split in SPLITS])
    y = torch.cat([data.load(split, 0).y for split in SPLITS])
    assert x.shape == (12500, 10, 4)
    assert y.sum().item() == labels.sum()
    pt = x[..., 1:3].norm(dim=-1).sum(1).sort().values
    assert torch.allclose(pt, torch.from_numpy(np.sort(particles[..., 0].sum(1))))


def test_an_unknown_particle_is_refused():
    with pytest.raises(BenchError, match=r"jets.npy: PDG number 15 stands for no long-lived particle"):
        masses(np.array([211.0, -15.0, 0.0]), Path("jets.npy"))


@pytest.mark.parametrize("dataset", [TopTagging, QuarkGluonJets])
def test_impossible_parameters_are_refused(dataset):
    with pytest.raises(BenchError, match="allowed are at least 10 and 2"):
        dataset(jets=1)


def reference(path: Path, count: int, numbers: int = 804) -> np.ndarray:
    """A file as PyTables writes the pandas table of the reference sample."""
    draw = np.random.default_rng(0)
    p = draw.normal(0, 40, (count, 200, 3)).astype(np.float32)
    p[:, 60:] = 0
    momenta = np.concatenate([np.linalg.norm(p, axis=-1, keepdims=True), p], -1)
    rows = np.zeros(
        count, [("index", "<i8"), ("values_block_0", "<f4", (numbers,)), ("values_block_1", "<i8", (2,))]
    )
    rows["values_block_0"][:, :800] = momenta.reshape(-1, 800)
    rows["values_block_1"][:, 1] = np.arange(count) % 2
    with h5py.File(path, "w") as file:
        file.create_dataset("table/table", data=rows, chunks=(min(count, 256),), compression="gzip", shuffle=True)
    return rows


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """EnergyFlow's layout: jets of up to 60 particles in no order, zeros after them."""
    draw = np.random.default_rng(0)
    X = np.zeros((40, 60, 4))
    for jet in X:
        n = draw.integers(5, 60)
        jet[:n] = np.stack([draw.uniform(1, 90, n), *draw.normal(0, 0.3, (2, n)), draw.choice([22, -211, 130], n)], 1)
    (tmp_path / "jets").mkdir()
    np.savez_compressed(tmp_path / "jets" / "QG_jets.npz", X=X, y=np.arange(40) % 2.0)
    monkeypatch.setenv("BENCH_DATA", str(tmp_path))
    return tmp_path / "jets" / "QG_jets.npz", X


@pytest.mark.parametrize("constituents", [12, 70])
def test_the_published_archive_gives_the_leading_particles(archive, constituents):
    data = QuarkGluonJets(constituents=constituents)
    parts = [data.load(split, 0) for split in SPLITS]
    p = torch.cat([part.x for part in parts]).numpy()
    assert p.shape == (40, constituents, 4) == (40, *data.actions()["four_vector"].shape)
    made = np.hypot(p[..., 1], p[..., 2])
    wanted = -np.sort(-np.pad(archive[1][..., 0], ((0, 0), (0, 10))))[:, :constituents]
    np.testing.assert_allclose(np.sort(made, 0), np.sort(wanted, 0))
    assert sorted(torch.cat([part.y for part in parts]).tolist()) == [0] * 20 + [1] * 20


def test_the_archive_is_verified_when_it_is_a_download(archive, monkeypatch):
    assert QuarkGluonJets().facts() == {"source": "file"}
    with pytest.raises(BenchError, match=r"QG_jets.npz: sha256 is [0-9a-f]{64}, expected 3f27a02e"):
        QuarkGluonJets(source="download").files()
    sha256 = {"QG_jets.npz": hashlib.sha256(archive[0].read_bytes()).hexdigest()}
    monkeypatch.setattr(QuarkGluonJets, "archive", Source("jets", sha256, ()))
    assert QuarkGluonJets(source="download").files() == [archive[0]]
    assert QuarkGluonJets(source="download").facts() == {"source": "download"}
    with pytest.raises(BenchError, match="allowed are file and download"):
        QuarkGluonJets(source="simulated")


def test_a_bad_archive_is_refused_in_one_line(archive):
    path, X = archive
    for write, says in (
        (lambda: path.write_bytes(path.read_bytes()[:4000]), "cannot be read as npz"),
        (lambda: np.savez(path, X=X), "expected 'y', got X"),
        (lambda: np.savez(path, X=X, y=np.zeros(39)), r"y: expected shape \(40\), got \(39\)"),
        (lambda: np.savez(path, X=np.full((40, 9, 4), 15.0), y=np.zeros(40)), "PDG number 15 stands for no"),
        (lambda: np.save(path.open("wb"), X), "expected an archive of arrays"),
        (lambda: path.write_bytes(b"<html>"), "cannot be read as npz"),
    ):
        write()
        with pytest.raises(BenchError, match=says) as error:
            QuarkGluonJets().load("test", 0)
        assert str(path) in str(error.value)
        assert "\n" not in str(error.value)


@pytest.fixture
def files(tmp_path, monkeypatch):
    folder = tmp_path / "top_tagging"
    folder.mkdir()
    monkeypatch.setenv("BENCH_DATA", str(tmp_path))
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))
    return {name: (folder / name, reference(folder / name, 60)) for name in ("train.h5", "val.h5", "test.h5")}


def test_reference_files_are_read_in_their_published_splits(files):
    data = TopTagging(source="file", constituents=50)
    test = data.load("test", 0)
    rows = files["test.h5"][1]
    wanted = {row[:200].reshape(50, 4)[:, 1:].tobytes() for row in rows["values_block_0"]}
    assert {x[:, 1:].float().numpy().tobytes() for x in test.x} == wanted
    assert len(test) == 60
    assert data.facts() == {"source": "file"}
    by_momentum = {row["values_block_0"][1:4].tobytes(): int(row["values_block_1"][1]) for row in rows}
    assert all(by_momentum[x[0, 1:].float().numpy().tobytes()] == y for x, y in zip(test.x, test.y, strict=True))


def test_a_reference_file_is_read_as_a_stream_of_the_jets_that_are_wanted(tmp_path):
    rows = reference(tmp_path / "train.h5", 5000)
    p, y = read_reference(tmp_path / "train.h5", 100, 20, np.random.default_rng(3))
    assert p.shape == (100, 20, 4)
    by_momentum = {row["values_block_0"][:80].tobytes(): int(row["values_block_1"][1]) for row in rows}
    assert len({jet.tobytes() for jet in p}) == 100
    assert [by_momentum[jet.reshape(-1).tobytes()] for jet in p] == y.tolist()


def test_bad_reference_files_are_refused_in_one_line(files, tmp_path):
    path = files["train.h5"][0]
    reference(path, 40, numbers=803)
    data = TopTagging(source="file")
    with pytest.raises(BenchError, match=r"train.h5: expected table/table with 804 numbers and 2 integers a row"):
        data.load("train", 0)
    path.write_bytes(files["test.h5"][0].read_bytes()[:5000])
    with pytest.raises(BenchError, match=r"train.h5: cannot be read as HDF5") as error:
        data.load("train", 0)
    assert "\n" not in str(error.value)
    path.unlink()
    with pytest.raises(BenchError, match=r"no file train.h5 in top_tagging/ of any folder of BENCH_DATA") as error:
        data.files()
    assert "zenodo.org/records/2603256" in error.value.hint


def test_a_download_is_verified(files, monkeypatch):
    offline = Source("top_tagging", TopTagging.reference.sha256, ("http://127.0.0.1:9/",), timeout=1)
    monkeypatch.setattr(TopTagging, "reference", offline)
    with pytest.raises(BenchError, match=r"train.h5: md5 is [0-9a-f]{32}, expected 45663819f47c13724f67eb0fd80bfa5c"):
        TopTagging(source="download").files()
    files["train.h5"][0].unlink()
    with pytest.raises(BenchError, match="no mirror delivers it") as error:
        TopTagging(source="download").files()
    assert "md5:45663819f47c13724f67eb0fd80bfa5c" in error.value.hint
