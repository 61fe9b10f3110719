"""Form "tangent": smooth fields projected on the level sets of phi and of log p."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from bench.contracts import Action, Oracle

from .law import jacobian
from .warped import WarpedGenerators
from .whitened import Whitened

__all__ = ["TangentFields"]


class TangentFields(Whitened):
    """v_k(u) = (1 - J'(JJ' + s)^-1 J) sum_f w_kf cos(o_f u + b_f), J the rows of d phi and of a multiple of d log p.

    p is the density of a coupling flow. Whitened samples u; w (K, waves, D), o (waves, D).

    Arguments:
        K: number of fields.
        waves: number of frequencies.
        layers, width: of the coupling flow.
        oracle: phi, (B, *s) -> (B, outputs).
        outputs: components of phi.
    """

    asks = frozenset({"oracle"})

    def __init__(
        self, action: Action, K: int, waves: int, layers: int, width: int, outputs: int, oracle: Oracle
    ) -> None:
        super().__init__(action, K)
        self.waves, self.layers, self.width, self.outputs = waves, layers, width, outputs
        self.oracle: Oracle
        self.borrow("oracle", oracle)
        self.density = WarpedGenerators(action, 0, layers, width)
        self.frequencies = nn.Parameter(torch.randn(waves, self.D) / math.sqrt(self.D))
        self.phases = nn.Parameter(2 * math.pi * torch.rand(waves))
        self.weights = nn.Parameter(torch.zeros(K, waves, self.D))
        self.spread: Tensor
        self.emphasis: Tensor
        self.softness: Tensor
        self.register_buffer("spread", torch.ones(outputs))
        self.register_buffer("emphasis", torch.ones(()))
        self.register_buffer("softness", torch.ones(()))

    def config(self) -> dict[str, Any]:
        return {
            "K": self.K, "waves": self.waves, "layers": self.layers, "width": self.width, "outputs": self.outputs,
        }  # fmt: skip

    def fit_whitening(self, x: Tensor) -> None:
        super().fit_whitening(x)
        self.density.fit_whitening(x)

    def features(self, u: Tensor) -> Tensor:
        """cos(o_f u + b_f): (B, D) -> (B, waves)."""
        return torch.cos(u @ self.frequencies.T + self.phases)

    def rows(self, x: Tensor) -> Tensor:
        """d phi / du, standardised, and below it d log p / du times `emphasis`: (B, *s) -> (B, outputs + 1, D)."""
        u = self.whiten(x)
        law = jacobian(lambda v: self.oracle(self.unwhiten(v)) / self.spread, u)
        density = jacobian(lambda v: self.density.log_density(v)[:, None], u)
        return torch.cat([law, self.emphasis * density], 1)

    def project(self, rows: Tensor, fields: Tensor) -> Tensor:
        """The part of the fields (B, K, D) in the soft kernel of the rows (B, M, D)."""
        gram = rows @ rows.mT + self.softness * torch.eye(rows.shape[1]).to(rows)
        along = torch.cholesky_solve(rows @ fields.mT, torch.linalg.cholesky(gram))
        return fields - (rows.mT @ along).mT

    def velocity(self, x: Tensor) -> Tensor:
        smooth = torch.einsum("bf,kfd->bkd", self.features(self.whiten(x)), self.weights)
        fields = self.project(self.rows(x), smooth) @ self.unwhitening
        return fields.transpose(0, 1).reshape(self.K, *x.shape)

    def mix(self, c: Tensor) -> None:
        """Replace the fields by sum_k c_jk v_k, c (K, K)."""
        with torch.no_grad():
            self.weights.copy_(torch.einsum("jk,kfd->jfd", c.to(self.weights), self.weights))

