"""Oracle: what a symmetry must preserve."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn

from bench.contracts.representation import View
from bench.contracts.samples import Progress, Samples, silent
from bench.contracts.symmetry import Symmetry

__all__ = ["InView", "Oracle"]


class Oracle(nn.Module, ABC):
    """phi: x (B, *s) -> (B, m), differentiable."""

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """phi(x); for classifiers the logits minus their mean over classes, never the softmax."""

    def fit(
        self, train: Samples, valid: Samples, *, seed: int, effort: float = 1.0, progress: Progress = silent
    ) -> dict[str, float]:
        """Train what there is to train, once per (data, seed); returns validation figures. A formula needs nothing."""
        return {}

    def violation(self, symmetry: Symmetry, x: Tensor, t: Tensor) -> Tensor:
        """phi(s x) - s phi(x), (B, m); a scalar phi stays: phi(s x) - phi(x)."""
        moved: Tensor = self(symmetry.transform(x, t))
        still: Tensor = self(x)
        return moved - still


class InView(Oracle):
    """phi(D(z)): the oracle as a method in a view sees it."""

    def __init__(self, oracle: Oracle, view: View) -> None:
        super().__init__()
        self.oracle = oracle
        self.view = view

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.oracle(self.view.decode(x))
        return out
