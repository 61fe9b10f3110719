"""MNIST, rotated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from bench.contracts import Split
from bench.data import Expected, Source, read_idx

from ._rotation import RotatedImages, generator

__all__ = ["MNIST", "RotatedMNIST"]

MNIST = Source(
    folder="mnist",
    sha256={
        "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    },
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
    ),
)
VALID = 10


@dataclass(frozen=True)
class RotatedMNIST(RotatedImages):
    """The 70,000 digits of MNIST at 28 x 28, each turned by an angle of its own about the centre.

    Training and validation are drawn from the published 60,000, nine to one; the test split is the published 10,000.
    """

    paper: ClassVar[str] = "LeCun, Cortes, Burges, MNIST; rotated by multiples of 30 degrees as in arXiv:2302.00806"
    size: ClassVar[int] = 28
    source: ClassVar[Source] = MNIST

    def files(self) -> Sequence[Path]:
        """The four published files."""
        return [self.source.find(name) for name in self.source.sha256]

    def upright(self, split: Split, seed: int) -> tuple[Tensor, Tensor]:
        """The published images and labels of a split."""
        part = "t10k" if split == "test" else "train"
        images = read_idx(self.source.find(f"{part}-images-idx3-ubyte.gz"), Expected(("N", 28, 28), "u"))
        labels = read_idx(self.source.find(f"{part}-labels-idx1-ubyte.gz"), Expected((len(images),), "u"))
        if split != "test":
            order = generator(seed, "split").permutation(len(images))
            valid = len(images) // VALID
            chosen = order[:valid] if split == "valid" else order[valid:]
            images, labels = images[chosen], labels[chosen]
        return torch.from_numpy(images)[:, None].float() / 255, torch.from_numpy(labels).long()
