"""Smooth convolutional networks for images of any size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

__all__ = ["ImageDecoder", "ImageEncoder", "pyramid"]

SMALLEST = 7


def pyramid(side: int) -> list[int]:
    """The sides of an image halved until it is at most 7: 28 -> [28, 14, 7]."""
    sides = [side]
    while sides[-1] > SMALLEST:
        sides.append((sides[-1] + 1) // 2)
    return sides


class ImageEncoder(nn.Module):
    """Strided convolutions and one hidden layer: (B, C, H, W) -> (B, outputs).

    Arguments:
        shape: (C, H, W).
        outputs: how many numbers come out.
        width: channels after the first convolution; they double with each halving, up to four times.
        hidden: size of the hidden layer.
        normalise: batch normalisation (Ioffe and Szegedy, arXiv:1502.03167); fixed in evaluation mode.
    """

    def __init__(self, shape: Sequence[int], outputs: int, width: int, hidden: int, normalise: bool = False) -> None:
        super().__init__()
        channels, height, across = shape
        layers: list[nn.Module] = []
        stages = max(len(pyramid(height)), len(pyramid(across))) - 1
        for stage in range(max(stages, 1)):
            after = width * 2 ** min(stage, 2)
            kernel = 5 if stage == 0 else 3
            layers.append(nn.Conv2d(channels, after, kernel, 2, kernel // 2))
            layers += [nn.BatchNorm2d(after), nn.SiLU()] if normalise else [nn.SiLU()]
            channels, height, across = after, (height + 1) // 2, (across + 1) // 2
        flat = channels * height * across
        layers += [nn.Flatten(), nn.Linear(flat, hidden)]
        layers += [nn.BatchNorm1d(hidden), nn.SiLU()] if normalise else [nn.SiLU()]
        self.layers = nn.Sequential(*layers, nn.Linear(hidden, outputs))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layers(x)
        return out


class ImageDecoder(nn.Module):
    """A hidden layer, then convolutions that double the image: (B, inputs) -> (B, C, H, W).

    Each doubling is a convolution to four times the channels whose blocks of four become 2 x 2 pixels
    (Shi et al., arXiv:1609.05158): a third of the time of a transposed convolution on a CPU, and it has a jvp.
    """

    def __init__(self, shape: Sequence[int], inputs: int, width: int, hidden: int) -> None:
        super().__init__()
        channels, self.height, self.across = shape
        rows, columns = pyramid(self.height), pyramid(self.across)
        doublings = max(len(rows), len(columns), 2) - 1
        first = (_start(self.height, doublings), _start(self.across, doublings))
        widths = [width if stage == doublings - 1 else 2 * width for stage in range(doublings)] + [channels]
        layers: list[nn.Module] = [nn.Linear(inputs, hidden), nn.SiLU()]
        layers += [nn.Linear(hidden, widths[0] * math.prod(first)), nn.SiLU(), nn.Unflatten(1, (widths[0], *first))]
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, 4 * after, 3, 1, 1), nn.PixelShuffle(2), nn.SiLU()]
        self.layers = nn.Sequential(*layers[:-1])

    def forward(self, z: Tensor) -> Tensor:
        out: Tensor = self.layers(z)
        return out[..., : self.height, : self.across]


def _start(side: int, doublings: int) -> int:
    """The smallest side that so many doublings bring to at least `side`."""
    return math.ceil(side / (1 << doublings))
