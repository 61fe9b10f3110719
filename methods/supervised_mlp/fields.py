"""Vector fields that are a generator and a network."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from bench.contracts import Action, Symmetry

__all__ = ["PairedFields"]


class PairedFields(Symmetry):
    """v_k(u) = L_k u + n_k(u): matrices and a fully connected network n, in whitened samples u = W (x - m).

    Arguments:
        K: number of fields.
        width: units of each of the two hidden layers of n.
    """

    rk4_steps = 8

    def __init__(self, action: Action, K: int, width: int) -> None:
        super().__init__(action, K)
        D = action.n
        self.width = width
        self.mean: Tensor
        self.whitening: Tensor
        self.unwhitening: Tensor
        self.register_buffer("mean", torch.zeros(D))
        self.register_buffer("whitening", torch.eye(D))
        self.register_buffer("unwhitening", torch.eye(D))
        self.generators = nn.Parameter(torch.zeros(K, D, D))
        self.hidden = nn.Sequential(nn.Linear(D, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU())
        self.last = nn.Linear(width, K * D)

    def config(self) -> dict[str, Any]:
        return {"K": self.K, "width": self.width}

    def fit_whitening(self, x: Tensor) -> None:
        """Take m and the symmetric W from samples x (B, *s), which then have mean 0 and covariance 1."""
        flat = x.flatten(1).double()
        values, vectors = torch.linalg.eigh(torch.cov(flat.T).reshape(flat.shape[1], -1))
        scale = values.clamp(min=1e-6 * values.max().item()).sqrt()
        self.mean = flat.mean(0).to(x)
        self.whitening = (vectors / scale @ vectors.T).to(x)
        self.unwhitening = (vectors * scale @ vectors.T).to(x)

    def start(self, generators: Tensor) -> None:
        """Begin at v_k(u) = L_k u: L (K, D, D)."""
        self.generators.data = generators.to(self.mean)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def whiten(self, x: Tensor) -> Tensor:
        """(B, *s) -> u (B, D)."""
        return (x.flatten(1) - self.mean) @ self.whitening

    def fields(self, u: Tensor) -> Tensor:
        """The fields in whitened samples: (B, D) -> (K, B, D)."""
        bent = self.last(self.hidden(u)).unflatten(1, (self.K, -1)).transpose(0, 1)
        fields: Tensor = torch.einsum("kij,bj->kbi", self.generators, u) + bent
        return fields

    def velocity(self, x: Tensor) -> Tensor:
        return (self.fields(self.whiten(x)) @ self.unwhitening).reshape(self.K, *x.shape)

    def step(self, u: Tensor, t: Tensor) -> Tensor:
        """The flow of sum_k t_k v_k for unit time in a single RK4 step: u (B, D), t (B, K), t small."""

        def along(y: Tensor) -> Tensor:
            return torch.einsum("bk,kbd->bd", t, self.fields(y))

        k1 = along(u)
        k2 = along(u + k1 / 2)
        k3 = along(u + k2 / 2)
        k4 = along(u + k3)
        return u + (k1 + 2 * k2 + 2 * k3 + k4) / 6
