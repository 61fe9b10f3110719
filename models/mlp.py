"""A multilayer perceptron on the flattened sample."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from torch import nn

from bench.contracts import Problem

from ._plain import Plain

__all__ = ["MLP"]


@dataclass(frozen=True)
class MLP(Plain):
    """A multilayer perceptron on the flattened sample, whatever its shape; augmented along a symmetry.

    Arguments:
        width: units of a hidden layer.
        depth: hidden layers.
    """

    width: int = 256
    depth: int = 3

    def network(self, problem: Problem) -> nn.Module:
        widths = [problem.size, *[self.width] * self.depth]
        layers: list[nn.Module] = [nn.Flatten()]
        for before, after in pairwise(widths):
            layers += [nn.Linear(before, after), nn.SiLU()]
        return nn.Sequential(*layers, nn.Linear(widths[-1], problem.width))
