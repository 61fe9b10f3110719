"""A small convolutional network."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from bench.contracts import Problem
from bench.networks import ImageEncoder

from ._plain import Plain, image_shape

__all__ = ["CNN"]


@dataclass(frozen=True)
class CNN(Plain):
    """Strided convolutions with batch normalisation and one hidden layer, on images; augmented along a symmetry.

    Arguments:
        width: channels after the first convolution; they double with each halving, up to four times.
        hidden: units of the hidden layer.
    """

    width: int = 32
    hidden: int = 128

    def network(self, problem: Problem) -> nn.Module:
        return ImageEncoder(image_shape(problem, "cnn"), problem.width, self.width, self.hidden, normalise=True)
