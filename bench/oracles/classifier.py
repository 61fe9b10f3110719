"""The logits of a trained classifier."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.contracts.oracle import Oracle
from bench.contracts.samples import Progress, Samples, silent
from bench.errors import BenchError
from bench.networks import ImageEncoder
from bench.training import initialise, train

__all__ = ["Classifier"]

BATCH = 128


class Classifier(Oracle):
    """phi(x) = logits minus their mean over the classes; a smooth network, so that phi has all derivatives.

    Arguments:
        shape: (C, H, W) for images: strided convolutions; (D,) for vectors: two hidden layers.
        classes: number of classes, the labels being 0, ..., classes - 1.
        width: channels after the first convolution.
        hidden: size of the hidden layers.
        steps: optimiser steps at effort 1.
        rate: highest learning rate.
    """

    def __init__(
        self, shape: Sequence[int], classes: int, width: int = 24, hidden: int = 128, steps: int = 4000, rate: float = 2e-3
    ) -> None:
        super().__init__()
        self.classes = classes
        self.steps = steps
        self.rate = rate
        self.network: nn.Module
        if len(shape) == 3:
            self.network = ImageEncoder(shape, classes, width, hidden)
        else:
            self.network = nn.Sequential(
                nn.Linear(shape[0], hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, classes)
            )

    def forward(self, x: Tensor) -> Tensor:
        logits = self.network(x)
        return logits - logits.mean(-1, keepdim=True)

    def fit(
        self, train: Samples, valid: Samples, *, seed: int, effort: float = 1.0, progress: Progress = silent
    ) -> dict[str, float]:
        """By cross-entropy, with the best state on validation kept; returns its `accuracy` and `cross_entropy`.

        Raises:
            BenchError: labels withheld.
        """
        return _fit(self, train, valid, seed, effort, progress)


def _labels(samples: Samples, classes: int) -> Tensor:
    if samples.y is None:
        raise BenchError("a classifier needs labels and the data set has none", "choose another --oracle")
    return samples.y.long()


def _fit(
    oracle: Classifier, given: Samples, valid: Samples, seed: int, effort: float, progress: Progress
) -> dict[str, float]:
    x, y, y_valid = given.x, _labels(given, oracle.classes), _labels(valid, oracle.classes)
    oracle.to(x)
    initialise(oracle, seed)

    def loss(index: Tensor, done: float) -> Tensor:
        return F.cross_entropy(oracle(x[index]), y[index])

    def valid_loss() -> float:
        return F.cross_entropy(oracle(valid.x), y_valid).item()

    best = train(
        oracle, loss, valid_loss, size=len(x), steps=max(1, round(oracle.steps * effort)), batch=BATCH,
        rate=oracle.rate, draw=torch.Generator().manual_seed(seed), progress=progress,
    )  # fmt: skip
    with torch.no_grad():
        accuracy = (oracle(valid.x).argmax(-1) == y_valid).double().mean().item()
    return {"accuracy": accuracy, "cross_entropy": best}
