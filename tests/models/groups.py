"""Generators of well-known groups."""

import torch
from torch import Tensor


def orthogonal(n: int, times: int = 0) -> Tensor:
    """so(n), or so(times, n - times) with the boosts of the first coordinates."""
    generators = []
    for i in range(n):
        for j in range(i):
            A = torch.zeros(n, n, dtype=torch.float64)
            A[i, j], A[j, i] = 1, 1 if j < times <= i else -1
            generators.append(A)
    return torch.stack(generators)


def special_linear() -> Tensor:
    """sl(2)."""
    return torch.tensor([[[1, 0], [0, -1]], [[0, 1], [0, 0]], [[0, 0], [1, 0]]], dtype=torch.float64)


def permutation(*images: int) -> Tensor:
    return torch.eye(len(images), dtype=torch.float64)[list(images)]


def symmetric(n: int) -> Tensor:
    """S_n, by a transposition and a cycle."""
    return torch.stack([permutation(1, 0, *range(2, n)), permutation(*range(1, n), 0)])


def element(generators: Tensor, seed: int = 0) -> Tensor:
    """exp of a random combination."""
    c = 0.7 * torch.randn(len(generators), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return torch.linalg.matrix_exp(torch.einsum("k,kij->ij", c, generators))
