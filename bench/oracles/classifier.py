"""The logits of a trained classifier."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.contracts.oracle import Oracle
from bench.contracts.samples import Progress, Samples, silent
from bench.errors import BenchError
from bench.networks import ImageEncoder
from bench.training import Schedule, initialise, optimise

__all__ = ["Classifier"]

STEPS = 3000
WIDTH = 16
HIDDEN = 128


class Classifier(Oracle):
    """phi(x) = logits minus their mean over the classes, of a smooth network: phi has all derivatives.

    Images (C, H, W) go through strided convolutions, vectors (D,) through two hidden layers.

    Arguments:
        shape: shape of one sample.
        classes: number of classes, the labels being 0, ..., classes - 1.
        quarter_turns: train on square images in all four orientations. Where p(x) has this symmetry, that makes four
            samples of one, and no pixel is interpolated.
        blur: deviation, in pixels, of a Gaussian that smooths the image first; 0: none. A decoder's images are
            smoother than the data: what the network cannot see, it cannot judge them by.
    """

    def __init__(self, shape: Sequence[int], classes: int, quarter_turns: bool = False, blur: float = 0.0) -> None:
        super().__init__()
        self.classes = classes
        self.quarter_turns = quarter_turns
        self.network: nn.Module
        if len(shape) == 3:
            network = ImageEncoder(shape, classes, WIDTH, HIDDEN, normalise=True)
            self.network = nn.Sequential(Blur(shape[0], blur), network) if blur else network
        else:
            layers = [nn.Linear(shape[0], HIDDEN), nn.SiLU(), nn.Linear(HIDDEN, HIDDEN), nn.SiLU()]
            self.network = nn.Sequential(*layers, nn.Linear(HIDDEN, classes))

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.network(x)
        return logits - logits.mean(-1, keepdim=True)

    def fit(
        self, train: Samples, valid: Samples, *, seed: int, effort: float = 1.0, progress: Progress = silent
    ) -> dict[str, float]:
        """By cross-entropy, the best state on validation kept; returns its `accuracy` and `cross_entropy`.

        Raises:
            BenchError: labels withheld.
        """
        y, y_valid = self._labels(train), self._labels(valid)
        self.to(train.x)
        initialise(self, seed)

        def loss(index: Tensor, done: float) -> Tensor:
            x = train.x[index]
            return F.cross_entropy(self(_turned(x) if self.quarter_turns else x), y[index])

        def valid_loss() -> float:
            return F.cross_entropy(self(valid.x), y_valid).item()

        schedule = Schedule(max(1, round(STEPS * effort)), rate=4e-3, decay=0.05)
        best = optimise(self, loss, valid_loss, len(train), schedule, torch.Generator().manual_seed(seed), progress)
        with torch.no_grad():
            accuracy = (self(valid.x).argmax(-1) == y_valid).double().mean().item()
        return {"accuracy": accuracy, "cross_entropy": best}

    def _labels(self, samples: Samples) -> Tensor:
        if samples.y is None:
            raise BenchError("a classifier needs labels and the data set has none", "choose another --oracle")
        return samples.y.long()


class Blur(nn.Module):
    """Convolution of each channel with a Gaussian of this deviation in pixels, zero outside."""

    def __init__(self, channels: int, deviation: float) -> None:
        super().__init__()
        self.margin = math.ceil(2 * deviation)
        line = torch.exp(-0.5 * (torch.arange(-self.margin, self.margin + 1) / deviation) ** 2)
        kernel = torch.outer(line, line) / line.sum() ** 2
        self.kernel: Tensor
        self.register_buffer("kernel", kernel.expand(channels, 1, -1, -1).clone())

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.kernel, padding=self.margin, groups=len(self.kernel))


def _turned(x: Tensor) -> Tensor:
    """A quarter of the images, which come in random order, by 0, 90, 180 and 270 degrees each."""
    return torch.cat([torch.rot90(part, turns, (2, 3)) for turns, part in enumerate(torch.tensor_split(x, 4))])
