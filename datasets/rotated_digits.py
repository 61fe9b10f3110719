"""The digits that come with scikit-learn, rotated: nothing to download."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from bench.contracts import BenchError, Split

from ._rotation import RotatedImages, generator

__all__ = ["RotatedDigits"]

COPIES = 12
BOX = 12


@dataclass(frozen=True)
class RotatedDigits(RotatedImages):
    """The 1797 digits of scikit-learn (8 x 8), enlarged to 12 x 12 in the middle of 16 x 16, each turned.

    At 8 x 8 a digit fills its frame: rotation would cut its corners off, and a stroke is one pixel wide, too narrow to
    be interpolated. In the larger frame a digit stands as in MNIST, 3/4 of the side, and its diagonal fits the circle.

    A third is the test split, always the same; the rest is training and validation, four to one. A training digit
    appears in 12 orientations; validation and test digits in one, so that these samples are independent.
    """

    digits: tuple[int, ...] = tuple(range(10))

    paper: ClassVar[str] = "UCI optical recognition of handwritten digits (Alpaydin and Kaynak, 1998), by scikit-learn"
    size: ClassVar[int] = 16

    def upright(self, split: Split, seed: int) -> tuple[Tensor, Tensor]:
        """The enlarged images and labels of a split."""
        table = np.loadtxt(_table(), delimiter=",")
        images, labels = table[:, :-1], table[:, -1].astype(int)
        order = generator(0, "test split").permutation(len(images))
        test, rest = np.split(order, [len(order) // 3])
        rest = generator(seed, "split").permutation(rest)
        valid, train = np.split(rest, [len(rest) // 5])
        chosen = {"train": np.tile(train, COPIES), "valid": valid, "test": test}[split]
        upright = torch.from_numpy(images[chosen].reshape(-1, 1, 8, 8)).float() / 16
        enlarged = F.interpolate(upright, (BOX, BOX), mode="bicubic", align_corners=False).clamp(0, 1)
        return F.pad(enlarged, [(self.size - BOX) // 2] * 4), torch.from_numpy(labels[chosen]).long()


def _table() -> Path:
    """The file with the digits in scikit-learn, whose import takes longer than all else that is done with them."""
    found = find_spec("sklearn")
    if found is None or not found.origin:
        raise BenchError("scikit-learn, which holds the digits, is not installed", "pip install scikit-learn")
    return Path(found.origin).parent / "datasets" / "data" / "digits.csv.gz"
