"""Form "field": vector fields given by one fully connected network."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from bench.contracts import Action

from .whitened import Whitened

__all__ = ["NeuralFields"]


class NeuralFields(Whitened):
    """v_k(u) = sum_j c_kj n_j(u): a network n with D inputs and K D outputs, in whitened samples u.

    Arguments:
        K: number of fields.
        width: units of each hidden layer.
        depth: number of hidden layers.
    """

    rk4_steps = 8

    def __init__(self, action: Action, K: int, width: int = 128, depth: int = 2) -> None:
        super().__init__(action, K)
        self.width, self.depth = width, depth
        layers: list[nn.Module] = [nn.Linear(self.D, width), nn.SiLU()]
        for _ in range(depth - 1):
            layers += [nn.Linear(width, width), nn.SiLU()]
        self.network = nn.Sequential(*layers, nn.Linear(width, K * self.D))
        self.mixing: Tensor
        self.register_buffer("mixing", torch.eye(K))

    def config(self) -> dict[str, Any]:
        return {"K": self.K, "width": self.width, "depth": self.depth}

    def fields(self, u: Tensor) -> Tensor:
        """The fields in whitened samples: (B, D) -> (K, B, D)."""
        return torch.einsum("jk,bkd->jbd", self.mixing, self.network(u).unflatten(1, (self.K, -1)))

    def velocity(self, x: Tensor) -> Tensor:
        return (self.fields(self.whiten(x)) @ self.unwhitening).reshape(self.K, *x.shape)

    def flow(self, u: Tensor, t: Tensor, steps: int = 2) -> Tensor:
        """RK4, with the few steps that training can afford."""
        each = t.repeat_interleave(u.shape[1], 0)
        x, h = u.flatten(0, 1), 1 / steps

        def along(y: Tensor) -> Tensor:
            return torch.einsum("bk,kbd->bd", each, self.fields(y))

        for _ in range(steps):
            k1 = along(x)
            k2 = along(x + h / 2 * k1)
            k3 = along(x + h / 2 * k2)
            k4 = along(x + h * k3)
            x = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        return x.view_as(u)

    def mix(self, c: Tensor) -> None:
        """Replace the fields by sum_k c_jk v_k, c (K, K)."""
        self.mixing = c.to(self.mixing) @ self.mixing
