"""Action: how a Lie-algebra element moves a sample."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from bench.contracts.symmetry import Symmetry

__all__ = ["Action", "rms_deviation", "rms_speed", "unit_speed"]


class Action(ABC):
    """How an element g of a group, or A of its algebra, moves a sample x.

    Arguments:
        shape: shape *s of one sample.
        target: how the label moves with the sample; None: it stays.
    """

    kind: ClassVar[str]
    n: int

    def __init__(self, shape: Sequence[int], target: Action | None = None) -> None:
        self.shape = tuple(shape)
        self.target = target

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.shape})"

    def act(self, g: Tensor, x: Tensor) -> Tensor:
        """g x: g (B, n, n), x (B, *s) -> (B, *s). TypeError where the action has no matrices."""
        raise TypeError(f"the action {self.kind} has no matrices")

    def velocity(self, A: Tensor, x: Tensor) -> Tensor:
        """d/dt exp(tA) x at 0, linear in A: A (K, n, n), x (B, *s) -> (K, B, *s); by default the jvp of `act`."""
        one = torch.eye(self.n, dtype=x.dtype, device=x.device).repeat(len(x), 1, 1)
        along = A.to(x)[:, None].repeat(1, len(x), 1, 1)
        return torch.stack([torch.func.jvp(lambda g: self.act(g, x), (one,), (a,))[1] for a in along])

    def matrix(self, A: Tensor) -> Tensor:
        """A as a matrix on the flattened sample: (K, n, n) -> (K, D, D). TypeError where there is none."""
        raise TypeError(f"the action {self.kind} is no matrix on the sample")

    @abstractmethod
    def candidates(self, x: Tensor) -> Symmetry:
        """A basis of all fields that a method may find, the space of chance; x (B, *s): reference samples."""

    def random(self, K: int, x: Tensor, seed: int) -> Symmetry:
        """K random fields at RMS speed 1 over x (B, *s): control, wrong symmetry, chance level."""
        basis = self.candidates(x)
        basis = basis.combine(torch.diag(1 / rms_speed(basis, x).clamp(min=1e-12)))
        draw = torch.Generator().manual_seed(seed)
        return unit_speed(basis.combine(torch.randn(K, basis.K, generator=draw).to(x)), x)


def rms_deviation(x: Tensor) -> Tensor:
    """sqrt(E |x - E x|^2) of samples (B, *s), a scalar."""
    return (x - x.mean(0)).flatten(1).square().sum(1).mean().sqrt()


def rms_speed(symmetry: Symmetry, x: Tensor) -> Tensor:
    """sqrt(E |v_k(x)|^2), shape (K,)."""
    with torch.no_grad():
        return symmetry.velocity(x).flatten(2).square().sum(-1).mean(-1).sqrt()


def unit_speed(symmetry: Symmetry, x: Tensor) -> Symmetry:
    """The same fields, each scaled to RMS speed 1 over x."""
    return symmetry.combine(torch.diag(1 / rms_speed(symmetry, x).clamp(min=1e-12)))
