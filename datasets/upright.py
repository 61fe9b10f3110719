"""Digits whose symmetry is discovered while they are turned, and of which models learn upright."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from bench.contracts import Dataset, Samples, Split

from .rotated_digits import COPIES, RotatedDigits
from .rotated_mnist import RotatedMNIST

__all__ = ["UprightDigits", "UprightMNIST"]


@dataclass(frozen=True)
class UprightMNIST(RotatedMNIST):
    """MNIST: symmetries are discovered on rotated digits, downstream models learn from the published, upright ones.

    What a model knows of rotations shows on the orbits of the test images (`invariance.orbit`).
    """

    digits: tuple[int, ...] = tuple(range(10))

    def downstream(self) -> Dataset:
        """The images as they are published."""
        return _StillMNIST(self.digits)


@dataclass(frozen=True)
class UprightDigits(RotatedDigits):
    """The same with the digits that come with scikit-learn: no download."""

    def downstream(self) -> Dataset:
        """Every image once, upright."""
        return _StillDigits(self.digits)


class _StillMNIST(RotatedMNIST):
    def angles(self, count: int, split: Split, seed: int) -> Tensor:
        return torch.zeros(count)


class _StillDigits(RotatedDigits):
    def angles(self, count: int, split: Split, seed: int) -> Tensor:
        return torch.zeros(count)

    def load(self, split: Split, seed: int) -> Samples:
        samples = super().load(split, seed)
        return samples[: len(samples) // COPIES] if split == "train" else samples
