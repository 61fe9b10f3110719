"""Finite groups of one element: its order, and the element of that order that is nearest to it."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from bench.contracts import Action

__all__ = ["generator_of", "order"]

LARGEST = 30
NEARER = 5
SAME = 1.5
ROUNDING = 1e-9
TERMS = 60


def order(action: Action, h: Tensor, x: Tensor) -> int | None:
    """The k up to 30 with h^k = 1 over samples x (B, *s), up to an error of h; None where that is not clear.

    An error e of h makes one of k e of h^k, so k is the first with (about) the least distance of h^k from 1, by k; and
    h^k has to be five times as near to 1 as all lower powers.
    """
    powers = [torch.linalg.matrix_power(h, k) for k in range(1, LARGEST + 1)]
    distances = [_displacement(action, power, x) for power in powers]
    errors = [distance / k for k, distance in enumerate(distances, 1)]
    k = next(k for k, error in enumerate(errors, 1) if error <= SAME * min(errors) + ROUNDING * distances[0])
    return k if k > 1 and NEARER * distances[k - 1] < min(distances[: k - 1]) else None


def generator_of(action: Action, h: Tensor, x: Tensor) -> Tensor:
    """The element of the cyclic group near h that generates it and moves samples least; h itself if it has no order.

    An element h of order k up to an error, h^k = exp(e), becomes h exp(-e / k), whose k-th power is 1.
    """
    h = h.double()
    x = x.double()
    k = order(action, h, x)
    if k is None:
        return h
    root = h @ torch.linalg.matrix_exp(-_logarithm(torch.linalg.matrix_power(h, k)) / k)
    powers: list[Tensor] = [torch.linalg.matrix_power(root, j) for j in range(1, k) if math.gcd(j, k) == 1]
    return min(powers, key=lambda power: _displacement(action, power, x))


def _displacement(action: Action, g: Tensor, x: Tensor) -> float:
    return (action.act(g.expand(len(x), -1, -1), x) - x).square().mean().sqrt().item()


def _logarithm(h: Tensor) -> Tensor:
    """log h by its series about 1, for h near it."""
    one = torch.eye(len(h)).to(h)
    powers = [(-1) ** (k + 1) / k * torch.linalg.matrix_power(h - one, k) for k in range(1, TERMS)]
    total: Tensor = torch.stack(powers).sum(0)
    return total
