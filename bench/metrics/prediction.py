"""How well a trained model predicts on the test split."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from bench.contracts import Metric

__all__ = ["Prediction", "predicted"]

CHUNK = 500


def predicted(predictor: nn.Module, x: Tensor) -> Tensor:
    """f(x) in parts, in float64: (B, *s) -> (B, *outputs)."""
    with torch.no_grad():
        return torch.cat([predictor(part).double().cpu() for part in torch.split(x, CHUNK)])


class Prediction(Metric):
    """Section 4, one point of the curve: larger is better, whatever the problem.

    Of several classes the accuracy; of two, and of anomalies, the area under the ROC curve; of a target
    -log10(E |f(x) - y|^2 / E |y - E y|^2), the digits that it gets right of the variance.
    """

    version = 1
    asks = frozenset({"predictor", "problem", "test"})

    def score(self, **asked: Any) -> dict[str, float | None]:
        """`prediction`, its standard error over the test samples, and the figures that go with the problem."""
        predictor, problem, test = asked["predictor"], asked["problem"], asked["test"]
        y = test.samples.y
        found, y = predicted(predictor, test.samples.x), y.cpu()
        if problem.kind == "regression":
            return _digits(found, y.double())
        if problem.kind == "anomaly":
            return _area(found, y != problem.normal)
        accuracy = (found.argmax(1) == y).double().mean().item()
        scores: dict[str, float | None] = {"prediction.accuracy": accuracy}
        scores["prediction.cross_entropy"] = problem.loss(found, y).item()
        if problem.width == 2:
            return _area(found[:, 1] - found[:, 0], y == 1) | scores
        return {"prediction": accuracy, "prediction.se": math.sqrt(accuracy * (1 - accuracy) / len(y))} | scores


def _digits(found: Tensor, y: Tensor) -> dict[str, float | None]:
    errors = (found - y).square().reshape(len(y), -1).sum(1)
    spread = (y - y.mean(0)).square().reshape(len(y), -1).sum(1)
    relative = max((errors.mean() / spread.mean()).item(), 1e-300)
    influence = errors / errors.mean().clamp(min=1e-300) - spread / spread.mean()
    return {
        "prediction": -math.log10(relative),
        "prediction.se": (influence.std() / math.sqrt(len(y))).item() / math.log(10),
        "prediction.mse": (errors.mean() / max(y[0].numel(), 1)).item(),
    }


def _area(scores: Tensor, positive: Tensor) -> dict[str, float | None]:
    """P(positive > negative), ties counting half, with DeLong, DeLong and Clarke-Pearson's standard error (1988)."""
    if positive.all() or not positive.any():
        return {"prediction": None, "prediction.se": None}
    above, below = scores[positive], scores[~positive]
    of_above = _share_below(below.sort().values, above)
    of_below = 1 - _share_below(above.sort().values, below)
    variance = of_above.var() / len(above) + of_below.var() / len(below)
    return {"prediction": of_above.mean().item(), "prediction.se": variance.sqrt().item()}


def _share_below(sorted_scores: Tensor, at: Tensor) -> Tensor:
    """The share of scores under each value, ties counting half."""
    less = torch.searchsorted(sorted_scores, at)
    less_or_equal = torch.searchsorted(sorted_scores, at, right=True)
    return (less + less_or_equal).double() / (2 * len(sorted_scores))
