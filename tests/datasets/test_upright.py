"""Digits that are turned for discovery and upright for models."""

import torch
from bench.datasets.rotated_digits import RotatedDigits
from bench.datasets.upright import UprightDigits


def test_symmetries_are_discovered_on_rotated_digits():
    one, other = (dataset.load("train", 3) for dataset in (UprightDigits(), RotatedDigits()))
    assert torch.equal(one.x, other.x)


def test_models_learn_from_every_image_once_as_it_is():
    dataset = UprightDigits((3, 8))
    still = dataset.downstream()
    images, labels = dataset.upright("test", 0)
    test = still.load("test", 0)
    mine = (labels == 3) | (labels == 8)
    assert torch.allclose(test.x, images[mine], atol=1e-6)
    assert test.y.unique().tolist() == [0, 1]
    train = still.load("train", 0)
    assert len(train.x.flatten(1).unique(dim=0)) >= len(train) - 2  # a scribe may repeat himself


def test_a_symmetry_of_rotated_digits_is_what_models_are_measured_by():
    dataset = UprightDigits()
    assert dataset.truth("image_affine", "labels").K == 1
    assert dataset.downstream().downstream().load("valid", 0).x.shape[1:] == (1, 16, 16)
