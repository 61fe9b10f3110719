"""Kronecker products and sums of square matrices."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["joined"]


def joined(legs: Sequence[Tensor], finite: bool) -> Tensor:
    """How matrices that act on one leg each act on all: A x B of a group, A x 1 + 1 x B of an algebra."""
    total = torch.full((1, 1), float(finite), dtype=torch.float64)
    for A in (leg.contiguous() for leg in legs):
        if finite:
            total = torch.kron(total, A)
        else:
            total = torch.kron(total, torch.eye(len(A)).to(A)) + torch.kron(torch.eye(len(total)).to(A), A)
    return total
