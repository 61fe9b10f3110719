"""Bases of classical matrix algebras, (K, n, n) in float64."""

from __future__ import annotations

from itertools import combinations

import torch
from torch import Tensor

__all__ = ["block", "free_rows", "orthogonal", "symplectic", "symplectic_form", "unit"]


def unit(n: int, i: int, j: int) -> Tensor:
    """E_ij, 1 in row i and column j."""
    matrix = torch.zeros(n, n, dtype=torch.float64)
    matrix[i, j] = 1
    return matrix


def orthogonal(n: int, times: int = 0) -> Tensor:
    """so(times, n - times): A = eta W with W antisymmetric, which keeps x'eta x, eta = diag(-1, ..., 1, ...)."""
    eta = torch.ones(n, dtype=torch.float64)
    eta[:times] = -1
    turns = [eta[:, None] * (unit(n, j, i) - unit(n, i, j)) for i, j in combinations(range(n), 2)]
    return torch.stack(turns) if turns else torch.zeros(0, n, n, dtype=torch.float64)


def symplectic_form(n: int) -> Tensor:
    """Omega = [[0, 1], [-1, 0]] in blocks of n / 2."""
    one, nought = torch.eye(n // 2, dtype=torch.float64), torch.zeros(n // 2, n // 2, dtype=torch.float64)
    return torch.cat([torch.cat([nought, one], 1), torch.cat([-one, nought], 1)])


def symplectic(n: int) -> Tensor:
    """sp(n): A = Omega S with S symmetric, which keeps u'Omega v."""
    symmetric = [unit(n, i, j) + unit(n, j, i) for i in range(n) for j in range(i + 1)]
    return symplectic_form(n) @ torch.stack(symmetric)


def free_rows(n: int, kept: int) -> Tensor:
    """All matrices that change coordinates `kept` to n - 1 alone."""
    return torch.stack([unit(n, i, j) for i in range(kept, n) for j in range(n)])


def block(matrices: Tensor, n: int, start: int = 0) -> Tensor:
    """Matrices (K, m, m) as the block of (K, n, n) that begins in row and column `start`."""
    wide = matrices.new_zeros(len(matrices), n, n)
    end = start + matrices.shape[1]
    wide[:, start:end, start:end] = matrices
    return wide
