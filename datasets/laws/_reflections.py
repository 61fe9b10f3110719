"""Matrices that are their own inverse, (n, n) in float64."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["flip", "products", "swap"]


def flip(n: int, *axes: int) -> Tensor:
    """The reflection x_i -> -x_i of some axes, (n, n)."""
    signs = torch.ones(n, dtype=torch.float64)
    signs[list(axes)] = -1
    return signs.diag()


def swap(n: int, i: int, j: int) -> Tensor:
    """The exchange of x_i and x_j, (n, n)."""
    order = torch.arange(n)
    order[i], order[j] = j, i
    return torch.eye(n, dtype=torch.float64)[order]


def products(involutions: Sequence[Tensor], n: int) -> Tensor:
    """All products of m commuting involutions (n, n) but 1: (2^m - 1, n, n)."""
    group = torch.eye(n, dtype=torch.float64)[None]
    for g in involutions:
        group = torch.cat([group, group @ g])
    return group[1:]
