"""Laws of the rotated images, on scikit-learn's digits and, where it is at hand, on MNIST."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from bench.datasets._rotation import ROTATION, RotatedImages, rotate
from bench.datasets.rotated_digits import RotatedDigits
from bench.datasets.rotated_mnist import MNIST, RotatedMNIST

from bench.contracts import ImageAffine, MatrixSymmetry
from bench.data import Source
from bench.errors import BenchError

HAVE_MNIST = any((Path(f) / "mnist").is_dir() for f in os.environ.get("BENCH_DATA", "").split(os.pathsep) if f)
needs_mnist = pytest.mark.skipif(not HAVE_MNIST, reason="BENCH_DATA has no mnist folder")
DATASETS = [pytest.param(RotatedDigits, id="digits"), pytest.param(RotatedMNIST, id="mnist", marks=needs_mnist)]
SPLITS = ("train", "valid", "test")


def blob(size: int = 28) -> torch.Tensor:
    """A smooth image without symmetry, zero at the rim: (1, 1, size, size)."""
    grid = ImageAffine((1, size, size)).grid(torch.zeros((), dtype=torch.float64))
    column, row = grid[..., 0], grid[..., 1]
    return torch.exp(-15 * ((column - 0.3) ** 2 + (row + 0.1) ** 2) + 5 * column * row)[None, None]


def distance(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).norm() / b.norm())


@pytest.mark.parametrize("dataset", DATASETS)
def test_samples_are_images_in_the_unit_interval_with_class_indices(dataset):
    data = dataset(digits=[7, 3])
    for split in SPLITS:
        samples = data.load(split, 0)
        assert samples.x.shape[1:] == (1, data.size, data.size)
        assert samples.x.dtype == torch.float32
        assert samples.x.min() >= 0
        assert samples.x.max() <= 1
        assert set(samples.y.tolist()) == {0, 1}
        assert torch.isfinite(samples.x).all()


@pytest.mark.parametrize("dataset", DATASETS)
def test_one_seed_gives_one_split_and_another_seed_another(dataset):
    data = dataset()
    for split in ("valid", "test"):
        first, again, other = data.load(split, 3), data.load(split, 3), data.load(split, 4)
        assert torch.equal(first.x, again.x)
        assert torch.equal(first.y, again.y)
        assert first.x.shape != other.x.shape or not torch.equal(first.x, other.x)


@pytest.mark.parametrize("dataset", DATASETS)
def test_splits_share_no_digit_and_the_test_split_is_fixed(dataset):
    data = dataset()
    rows = {split: {x.numpy().tobytes() for x in data.upright(split, 1)[0]} for split in SPLITS}
    assert not rows["train"] & rows["valid"]
    assert not rows["test"] & (rows["train"] | rows["valid"])
    assert rows["test"] == {x.numpy().tobytes() for x in data.upright("test", 2)[0]}


@needs_mnist
def test_mnist_is_whole():
    data = RotatedMNIST(digits=range(10))
    counts = {split: len(data.upright(split, 0)[0]) for split in SPLITS}
    assert counts == {"train": 54000, "valid": 6000, "test": 10000}
    labels = data.upright("test", 0)[1]
    assert labels.bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]  # as published


@needs_mnist
def test_mnist_files_are_the_published_four():
    assert [path.name for path in RotatedMNIST().files()] == list(MNIST.sha256)
    assert all(mirror.startswith("https://") for mirror in MNIST.mirrors)


def test_without_mnist_and_network_one_line_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.delenv("BENCH_DATA", raising=False)
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    offline: Source = replace(MNIST, mirrors=("http://127.0.0.1:9/",), timeout=1)
    monkeypatch.setattr(RotatedMNIST, "source", offline)
    with pytest.raises(BenchError, match=r"mnist/train-images-idx3-ubyte.gz is in no folder of BENCH_DATA") as error:
        RotatedMNIST().load("train", 0)
    assert "put it at" in error.value.hint
    assert "\n" not in str(error.value)


def test_digits_need_no_file():
    assert RotatedDigits().files() == ()


@pytest.mark.parametrize("digits", [(), (1,), (1, 1), (1, 10), (-1, 2), (1.0, 2), ("1", "2"), (True, 2)])
def test_impossible_digits_are_refused(digits):
    with pytest.raises(BenchError, match="allowed are two or more different digits from 0 to 9"):
        RotatedDigits(digits=digits)


def test_impossible_rotation_is_refused():
    with pytest.raises(BenchError, match="allowed are 'steps' and 'uniform'"):
        RotatedDigits(rotation="half")


@pytest.mark.parametrize("rotation", ["steps", "uniform"])
def test_angles_cover_the_circle(rotation):
    angles = RotatedDigits(rotation=rotation).angles(6000, "train", 0)
    assert torch.all((angles >= 0) & (angles < 2 * math.pi))
    assert torch.polar(torch.ones(6000), angles).mean().abs() < 4 / math.sqrt(6000)
    in_steps = (angles / math.radians(30) - (angles / math.radians(30)).round()).abs() < 1e-4
    assert in_steps.all() if rotation == "steps" else in_steps.double().mean() < 0.01


def test_samples_are_upright_images_turned_by_the_angles():
    data = RotatedDigits(digits=range(10))
    images, labels = data.upright("valid", 5)
    samples = data.load("valid", 5)
    assert torch.equal(samples.x, rotate(images, data.angles(len(images), "valid", 5)))
    assert torch.equal(samples.y, labels)


def test_quarter_turns_move_pixels_exactly():
    images = RotatedDigits().upright("valid", 0)[0]
    for k in range(4):
        turned = rotate(images, torch.full((len(images),), k * math.pi / 2))
        assert torch.allclose(turned, torch.rot90(images, -k, (2, 3)), atol=1e-4)


def test_a_digit_loses_no_ink_by_rotation():
    data = RotatedDigits()
    images = data.upright("test", 0)[0]
    for degrees in (15, 30, 45):
        turned = rotate(images, torch.full((len(images),), math.radians(degrees)))
        kept = turned.sum((1, 2, 3)) / images.sum((1, 2, 3))
        assert kept.min() > 0.99
        assert kept.max() < 1.04  # undershoots are clamped to zero


@pytest.mark.parametrize("law", ["labels", "logits", "radial_logits", "sample"])
def test_the_true_generator_commutes_with_the_loader(law):
    truth = RotatedMNIST(rotation="uniform").truth("image_affine", law)
    image, angle, t = blob(), torch.tensor([0.7], dtype=torch.float64), torch.tensor([[0.4]], dtype=torch.float64)
    turn = torch.linalg.matrix_exp(angle * ROTATION.double())[None]
    act = truth.action.act
    assert distance(act(turn, truth.transform(image, t)), truth.transform(act(turn, image), t)) < 0.04
    assert distance(act(turn, truth.transform(image, t)), truth.transform(image, t + angle)) < 0.04
    assert distance(act(turn, truth.transform(image, t)), truth.transform(image, t - angle)) > 0.5


def test_the_true_velocity_is_the_derivative_of_the_rotation():
    truth, image = RotatedMNIST().truth("image_affine", "logits"), blob()
    h = torch.tensor([[0.05]], dtype=torch.float64)
    difference = (truth.transform(image, h) - truth.transform(image, -h)) / (2 * h)
    velocity = truth.velocity(image)[0]
    assert torch.nn.functional.cosine_similarity(difference.flatten(), velocity.flatten(), dim=0) > 0.99


def test_in_steps_the_sample_has_only_finite_rotations():
    in_steps = RotatedDigits().truth("image_affine", "sample")
    assert isinstance(in_steps, MatrixSymmetry)
    assert (in_steps.K, in_steps.M) == (0, 11)
    turns = in_steps.elements
    assert torch.allclose(torch.linalg.matrix_power(turns[0], 12), torch.eye(3), atol=1e-5)
    products = torch.einsum("aij,bjk->abik", turns, turns).reshape(-1, 3, 3)
    group = torch.cat([torch.eye(3)[None], turns])
    assert (products[:, None] - group).abs().amax((2, 3)).amin(1).max() < 1e-5


def test_what_is_unknown_is_none():
    data = RotatedDigits()
    assert data.truth("image_affine", "nonsense") is None
    assert data.truth("field", "logits") is None


@pytest.mark.parametrize("dataset", [RotatedDigits, RotatedMNIST])
def test_every_oracle_takes_the_samples(dataset):
    data: RotatedImages = dataset()
    x = torch.rand(3, 1, data.size, data.size)
    sizes = {name: oracle(x).shape for name, oracle in data.oracles().items()}
    assert sizes["logits"] == (3, len(data.digits))
    assert sizes["radial_logits"][1] > len(data.digits)
    assert data.track[1] in sizes
