"""What the data sets of rotated images share."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from bench.contracts import Action, BenchError, Dataset, ImageAffine, MatrixSymmetry, Oracle, Samples, Split, Symmetry
from bench.oracles import Classifier, RadialProfile, Stacked

__all__ = ["RotatedImages", "generator", "rotate"]

STEPS = 12
CHUNK = 2000
LAWS = ("logits", "radial_logits", "labels", "sample")
STREAMS = ("train", "valid", "test", "split", "test split")
ROTATION = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 0]])


def generator(seed: int, stream: str) -> np.random.Generator:
    """One of the independent random streams of a seed."""
    return np.random.default_rng([STREAMS.index(stream), seed])


def rotate(images: Tensor, angles: Tensor) -> Tensor:
    """Each image turned by its angle: (N, C, H, W), (N,) in radians -> (N, C, H, W), bicubic, within [0, 1]."""
    action = ImageAffine(images.shape[1:])
    turned = [
        action.act(torch.linalg.matrix_exp(angles[i : i + CHUNK, None, None] * ROTATION), images[i : i + CHUNK])
        for i in range(0, len(images), CHUNK)
    ]
    return torch.cat(turned).clamp(0, 1)


@dataclass(frozen=True)
class RotatedImages(Dataset):
    """Images of digits, each turned by an angle of its own.

    Arguments:
        digits: the digits that are kept; the label is the position in this list.
        rotation: "steps", a multiple of 30 degrees, or "uniform", any angle.
    """

    digits: tuple[int, ...] = (1, 2)
    rotation: Literal["steps", "uniform"] = "steps"

    track: ClassVar[tuple[str, str, str]] = ("vae", "logits", "field")
    size: ClassVar[int]

    def __post_init__(self) -> None:
        digits = tuple(self.digits)
        if not all(type(d) is int and 0 <= d <= 9 for d in digits) or len(digits) < 2 or len(set(digits)) < len(digits):
            raise BenchError(
                f"digits = {list(digits)}; allowed are two or more different digits from 0 to 9",
                "for example digits=[1,2] or digits=[0,1,2,3,4,5,6,7,8,9]",
            )
        if self.rotation not in ("steps", "uniform"):
            raise BenchError(f"rotation = {self.rotation!r}; allowed are 'steps' and 'uniform'", "choose one of them")
        object.__setattr__(self, "digits", digits)

    @abstractmethod
    def upright(self, split: Split, seed: int) -> tuple[Tensor, Tensor]:
        """The unrotated images (N, 1, size, size) in [0, 1] of a split and the digits (N,) on them."""

    def load(self, split: Split, seed: int) -> Samples:
        """The split's images in the chosen digits, turned by angles drawn from (seed, split)."""
        images, labels = self.upright(split, seed)
        classes = torch.tensor([self.digits.index(d) if d in self.digits else -1 for d in range(10)])
        labels = classes[labels]
        images, labels = images[labels >= 0], labels[labels >= 0]
        return Samples(rotate(images, self.angles(len(images), split, seed)), labels)

    def angles(self, count: int, split: Split, seed: int) -> Tensor:
        """Angles in [0, 2 pi), (count,)."""
        draw = generator(seed, split)
        turns = draw.integers(STEPS, size=count) / STEPS if self.rotation == "steps" else draw.random(count)
        return torch.from_numpy(2 * math.pi * turns).float()

    def actions(self) -> Mapping[str, Action]:
        """Affine maps of the image plane."""
        return {"image_affine": self._affine()}

    def oracles(self) -> Mapping[str, Oracle]:
        """`logits` of a classifier, and `radial_logits`: with the image's radial profile."""
        profile = RadialProfile((1, self.size, self.size))
        parts = Stacked([self._classifier(), profile], (len(self.digits), profile.components))
        return {"logits": self._classifier(), "radial_logits": parts}

    def truth(self, action: str, law: str) -> Symmetry | None:
        """Rotation of the image. In steps of 30 degrees, the sample itself has only the finite rotations."""
        if action != "image_affine" or law not in LAWS:
            return None
        if law == "sample" and self.rotation == "steps":
            angles = 2 * math.pi / STEPS * torch.arange(1, STEPS)
            turns = torch.linalg.matrix_exp(angles[:, None, None] * ROTATION)
            return MatrixSymmetry.of(self._affine(), torch.zeros(0, 3, 3), turns)
        return MatrixSymmetry.of(self._affine(), ROTATION[None])

    def _affine(self) -> Action:
        return ImageAffine((1, self.size, self.size))

    def _classifier(self) -> Classifier:
        blur = self.size / 28  # less than a stroke's width: no digit is lost
        return Classifier((1, self.size, self.size), len(self.digits), quarter_turns=True, blur=blur)
