"""Bodies of unit mass that attract each other with G = 1 in the plane: force, step of the motion, invariants."""

from __future__ import annotations

import torch
from torch import Tensor

from bench.contracts import Equivariant, Oracle

__all__ = ["Products", "Step", "acceleration", "energy", "perpendicular"]


def perpendicular(v: Tensor) -> Tensor:
    """Vectors turned by a right angle, (..., 2)."""
    return torch.stack([-v[..., 1], v[..., 0]], -1)


def _pairs(bodies: int, like: Tensor) -> Tensor:
    """D (P, N): row (i, j) is 1 in column j, -1 in column i, so that (D q)_ij = q_j - q_i, for all pairs i < j."""
    i, j = torch.triu_indices(bodies, bodies, 1)
    one = torch.eye(bodies)
    pairs: Tensor = one[j] - one[i]
    return pairs.to(like)


def acceleration(q: Tensor) -> Tensor:
    """sum_j (q_j - q_i) / |q_j - q_i|^3: positions (B, N, 2) -> (B, N, 2)."""
    pairs = _pairs(q.shape[1], q)
    apart = pairs @ q
    pulls = apart / apart.norm(dim=-1, keepdim=True) ** 3
    sums: Tensor = pairs.T @ -pulls
    return sums


def energy(x: Tensor) -> Tensor:
    """sum p^2 / 2 - sum_(i<j) 1 / |q_i - q_j| of states (B, 4 N): (B,)."""
    q, p = x.reshape(len(x), -1, 2, 2).unbind(2)
    apart = (_pairs(q.shape[1], q) @ q).norm(dim=-1)
    total: Tensor = p.square().sum((1, 2)) / 2 - apart.reciprocal().sum(1)
    return total


class Step(Equivariant):
    """The state (q_1, p_1, q_2, p_2, ...) a time later, (B, 4 N) -> (B, 4 N), and turned if the state is.

    By Nystrom's method of order 4 for q'' = a(q) (Hairer, Norsett and Wanner 1993, II.14), which keeps the symmetries
    of a exactly.

    Arguments:
        time: how much later.
        parts: the number of steps that it takes.
    """

    def __init__(self, time: float, parts: int) -> None:
        super().__init__()
        self.time = time
        self.parts = parts

    def forward(self, x: Tensor) -> Tensor:
        h = self.time / self.parts
        q, p = x.reshape(len(x), -1, 2, 2).unbind(2)
        for _ in range(self.parts):
            first = acceleration(q)
            middle = acceleration(q + h / 2 * p + h**2 / 8 * first)
            last = acceleration(q + h * p + h**2 / 2 * middle)
            q = q + h * p + h**2 / 6 * (first + 2 * middle)
            p = p + h / 6 * (first + 4 * middle + last)
        return torch.stack([q, p], 2).reshape(x.shape)


class Products(Oracle):
    """u . v of all pairs among the vectors q_1, p_1, q_2, p_2, ...: (B, 4 N) -> (B, N (2 N + 1))."""

    def forward(self, x: Tensor) -> Tensor:
        vectors = x.reshape(len(x), -1, 2)
        i, j = torch.triu_indices(vectors.shape[1], vectors.shape[1], device=x.device)
        return (vectors[:, i] * vectors[:, j]).sum(-1)
