"""Problem: what a downstream model is to predict, and from what."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from torch import Tensor
from torch.nn import functional as F

from bench.contracts.action import Action
from bench.contracts.samples import Samples
from bench.errors import Unsuitable

__all__ = ["Kind", "Problem"]

Kind = Literal["classification", "regression", "anomaly"]


@dataclass(frozen=True)
class Problem:
    """Samples x (B, *shape) and what is to be predicted of them, (B, *outputs).

    Arguments:
        kind: `classification`: logits of the labels 0, ..., classes - 1; `regression`: a target of numbers;
            `anomaly`: one number, larger for samples unlike those of training, which are all normal.
        shape: of one sample.
        outputs: of one prediction: (classes,), the shape of a target, or () of an anomaly score.
        action: how samples move, and by its `target` how targets do.
        normal: of an anomaly search, the label of normal samples.
    """

    kind: Kind
    shape: tuple[int, ...]
    outputs: tuple[int, ...]
    action: Action
    normal: int = 0

    @classmethod
    def of(cls, samples: Samples, action: Action, anomaly: bool = False, normal: int = 0) -> Problem:
        """What samples pose by their labels: integers are classes, others a target. Unsuitable if there are none."""
        y = samples.y
        if y is None or (not y.is_floating_point() and len(y) and y.min() < 0):
            raise Unsuitable("models learn from labels and the data set has none", "choose another --dataset")
        shape = tuple(samples.x.shape[1:])
        if anomaly:
            return cls("anomaly", shape, (), action, normal)
        if y.is_floating_point():
            return cls("regression", shape, tuple(y.shape[1:]), action)
        return cls("classification", shape, (int(y.max()) + 1,), action)

    @property
    def size(self) -> int:
        """How many numbers one sample has."""
        return math.prod(self.shape)

    @property
    def width(self) -> int:
        """How many numbers one prediction has."""
        return math.prod(self.outputs)

    def loss(self, prediction: Tensor, y: Tensor, unit: Tensor | float = 1.0) -> Tensor:
        """Cross-entropy, or the mean of ((prediction - y) / unit)^2; a scalar.

        Arguments:
            unit: in which a target is measured, a number or of its shape.
        """
        if self.kind == "classification":
            return F.cross_entropy(prediction, y.long())
        return ((prediction - y) / unit).square().mean()
