"""The detector: can a fixed classifier tell two samples of points apart?"""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["Detector", "auc"]

FOLDS = 5
COMPONENTS = 32
WAVES = 256
SCALES = (0.5, 1.0, 2.0)
LIMIT = 5.0
RIDGE = 0.3
EXPLAINED = 0.99
LEAST = 0.05


class Detector:
    """Version 1: ridge regression of the label on fixed features, cross-fitted in 5 folds.

    Features of x: the principal components that explain 99 % of the variance of reference points, 32 at most, at unit
    variance and cut at 5; their squares and their squared length; the distance to their span; 256 random waves (Rahimi
    & Recht 2007) with length scales of 0.5, 1 and 2 times the root of their number. Smaller components are left out,
    because they would show how images were resampled and not where they are.

    Arguments:
        reference: points (B, D) that set the scales.
    """

    def __init__(self, reference: Tensor) -> None:
        draw = torch.Generator().manual_seed(1)
        self.mean = reference.mean(0)
        _, size, axes = torch.linalg.svd(reference - self.mean, full_matrices=False)
        self.total = size.square().sum() / len(reference)
        explained = size.square().cumsum(0) / size.square().sum()
        kept = min(COMPONENTS, int((explained < EXPLAINED).sum()) + 1)
        self.axes = axes[:kept]
        self.size = size[:kept] / math.sqrt(len(reference))
        width = len(self.axes)
        scales = torch.tensor(SCALES).repeat(WAVES // len(SCALES) + 1)[:WAVES, None] * math.sqrt(width)
        self.frequencies = (torch.randn(WAVES, width, generator=draw) / scales).to(reference)
        self.phases = (2 * math.pi * torch.rand(WAVES, generator=draw)).to(reference)
        raw = self._raw(reference)
        self.centre, self.spread = raw.mean(0), raw.std(0).clamp(min=LEAST)

    def features(self, x: Tensor) -> Tensor:
        """Standardised features of points (B, D): (B, F)."""
        return ((self._raw(x) - self.centre) / self.spread).clamp(-LIMIT, LIMIT).nan_to_num(0)

    def _raw(self, x: Tensor) -> Tensor:
        inside = (x - self.mean) @ self.axes.T
        u = (inside / self.size).clamp(-LIMIT, LIMIT)
        beside = (x - self.mean).square().sum(1) - inside.square().sum(1)
        size = torch.stack([u.square().sum(1), (beside.clamp(min=0) / self.total).sqrt()], 1)
        waves = torch.cos(u @ self.frequencies.T + self.phases) * math.sqrt(2)
        return torch.cat([u, u.square(), size, waves], 1)

    def aucs(self, a: Tensor, b: Tensor, permutations: int = 0, seed: int = 0) -> Tensor:
        """Area under the ROC for telling points a (B, D) from points b, mean over the folds, (1 + permutations,).

        The first entry is for the true labels, the others for permuted ones: the null distribution, fitting included.
        """
        x = self.features(torch.cat([a, b])).double()
        x = torch.cat([x, torch.ones_like(x[:, :1])], 1)
        truth = torch.cat([torch.ones(len(a)), -torch.ones(len(b))])
        draw = torch.Generator().manual_seed(seed)
        y = torch.stack([truth, *(truth[torch.randperm(len(x), generator=draw)] for _ in range(permutations))], 1).to(x)
        fold = torch.cat([torch.arange(len(a)), torch.arange(len(b))]).to(x.device) % FOLDS
        gram, side = x.T @ x, x.T @ y
        ridge = RIDGE * len(x) * torch.eye(x.shape[1]).to(x)
        total = torch.zeros(1 + permutations).to(x)
        for k in range(FOLDS):
            held, labels = x[fold == k], y[fold == k]
            weights = torch.linalg.solve(gram - held.T @ held + ridge, side - held.T @ labels)
            total += auc(held @ weights, labels > 0) / FOLDS
        return total


def auc(score: Tensor, positive: Tensor) -> Tensor:
    """P(score of a positive > score of a negative), ties counting half, in each column of (B, C): (C,)."""
    ordered = score.sort(0).values.T.contiguous()
    wanted = score.T.contiguous()
    rank = (torch.searchsorted(ordered, wanted) + torch.searchsorted(ordered, wanted, right=True) + 1).double().T / 2
    n1 = positive.sum(0)
    return ((rank * positive).sum(0) - n1 * (n1 + 1) / 2) / (n1 * (len(score) - n1))
