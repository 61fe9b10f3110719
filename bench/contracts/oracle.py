"""Oracle: what a symmetry must preserve."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from bench.contracts.representation import View
from bench.contracts.samples import Progress, Samples, silent
from bench.contracts.symmetry import Symmetry

__all__ = ["Equivariant", "InView", "Oracle", "Tangent"]


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

    @property
    def moves(self) -> bool:
        """Whether its value moves with the sample, so that `violation` says more than how far it changes."""
        return type(self).violation is not Oracle.violation

    def violation(self, symmetry: Symmetry, x: Tensor, t: Tensor) -> Tensor:
        """phi(s x) - s phi(x), (B, m); a scalar phi stays: phi(s x) - phi(x)."""
        moved: Tensor = self(symmetry.transform(x, t))
        still: Tensor = self(x)
        return moved - still


class Equivariant(Oracle):
    """phi whose value moves as the target of the action says, phi(s x) = s phi(x)."""

    def carried(self, symmetry: Symmetry, x: Tensor, t: Tensor) -> Tensor:
        """s phi(x): x (B, *s), t (B, K) -> (B, m)."""
        return symmetry.transform_target(self(x), t)

    def violation(self, symmetry: Symmetry, x: Tensor, t: Tensor) -> Tensor:
        """phi(s x) - s phi(x), (B, m)."""
        moved: Tensor = self(symmetry.transform(x, t))
        return moved - self.carried(symmetry, x, t)


class Tangent(Equivariant):
    """phi whose value is a tangent vector at the sample, as that of a vector field is: (B, *s) -> (B, D)."""

    def carried(self, symmetry: Symmetry, x: Tensor, t: Tensor) -> Tensor:
        """The derivative of s at x along phi(x)."""
        along: Tensor = self(x)
        carried: Tensor = torch.func.jvp(lambda at: symmetry.transform(at, t), (x,), (along.reshape(x.shape),))[1]
        return carried.flatten(1)


class InView(Oracle):
    """phi(D(z)): the oracle as a method in a view sees it."""

    def __init__(self, oracle: Oracle, view: View) -> None:
        super().__init__()
        self.oracle = oracle
        self.view = view

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.oracle(self.view.decode(x))
        return out
