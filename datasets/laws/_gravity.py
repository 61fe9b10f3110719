"""Bodies of unit mass that attract each other with G = 1 in the plane: force, step of the motion, invariants."""

from __future__ import annotations

import torch
from torch import Tensor

from bench.contracts import Equivariant, Oracle

__all__ = ["Products", "Step", "acceleration", "energy", "perpendicular"]


def perpendicular(v: Tensor) -> Tensor:
    """Vectors turned by a right angle, (..., 2)."""
    return torch.stack([-v[..., 1], v[..., 0]], -1)


def _separations(q: Tensor) -> tuple[Tensor, Tensor]:
    """q_i - q_j and 1 / |q_i - q_j|, zero for i = j, of positions (B, N, 2)."""
    apart = q[:, None] - q[:, :, None]
    alone = torch.eye(q.shape[1], dtype=torch.bool, device=q.device)
    return apart, torch.where(alone, 0, torch.where(alone, 1, apart.square().sum(-1)).rsqrt())


def acceleration(q: Tensor) -> Tensor:
    """sum_j (q_j - q_i) / |q_j - q_i|^3: positions (B, N, 2) -> (B, N, 2)."""
    apart, inverse = _separations(q)
    return (apart * inverse[..., None] ** 3).sum(2)


def energy(x: Tensor) -> Tensor:
    """sum p^2 / 2 - sum_(i<j) 1 / |q_i - q_j| of states (B, 4 N): (B,)."""
    q, p = x.reshape(len(x), -1, 2, 2).unbind(2)
    return p.square().sum((1, 2)) / 2 - _separations(q)[1].sum((1, 2)) / 2


class Step(Equivariant):
    """The state (q_1, p_1, q_2, p_2, ...) a time later, (B, 4 N) -> (B, 4 N): Runge-Kutta of order 4.

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
            a1 = acceleration(q)
            a2 = acceleration(q + h / 2 * p)
            a3 = acceleration(q + h / 2 * p + h**2 / 4 * a1)
            a4 = acceleration(q + h * p + h**2 / 2 * a2)
            q = q + h * p + h**2 / 6 * (a1 + a2 + a3)
            p = p + h / 6 * (a1 + 2 * a2 + 2 * a3 + a4)
        return torch.stack([q, p], 2).reshape(x.shape)


class Products(Oracle):
    """u . v of all pairs among the vectors q_1, p_1, q_2, p_2, ...: (B, 4 N) -> (B, N (2 N + 1))."""

    def forward(self, x: Tensor) -> Tensor:
        vectors = x.reshape(len(x), -1, 2)
        i, j = torch.triu_indices(vectors.shape[1], vectors.shape[1], device=x.device)
        return (vectors[:, i] * vectors[:, j]).sum(-1)
