"""Form "projected": generators behind an invertible map, projected on the level sets of phi and of log p."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from bench.contracts import Action, Oracle, Symmetry
from bench.lie import jacobian

from .warped import WarpedGenerators

__all__ = ["ProjectedGenerators"]

CHUNK = 256


class ProjectedGenerators(Symmetry):
    """v_k(u) = (1 - J'(JJ' + s)^-1 J) Df^-1 L_k f, J the rows of d phi, standardised, and of a multiple of d log p.

    f and the antisymmetric L_k are those of `WarpedGenerators`, p the density for which f(u) is standard normal, u the
    whitened samples.

    Arguments:
        K: number of generators.
        layers, width: of f.
        outputs: components of phi.
        oracle: phi, (B, *s) -> (B, outputs).
    """

    asks = frozenset({"oracle"})

    def __init__(self, action: Action, K: int, layers: int, width: int, outputs: int, oracle: Oracle) -> None:
        super().__init__(action, K)
        self.outputs = outputs
        self.oracle: Oracle
        self.borrow("oracle", oracle)
        self.free = WarpedGenerators(action, K, layers, width)
        self.spread: Tensor
        self.emphasis: Tensor
        self.softness: Tensor
        self.register_buffer("spread", torch.ones(outputs))
        self.register_buffer("emphasis", torch.ones(()))
        self.register_buffer("softness", torch.ones(()))

    def config(self) -> dict[str, Any]:
        return {"K": self.K, "layers": self.free.layers, "width": self.free.width, "outputs": self.outputs}

    def calibrate(self, x: Tensor, spread: Tensor, softness: float) -> None:
        """Set the scales over samples x: `softness` in units of the mean square of a row of d phi, d log p as one row.

        Arguments:
            spread: deviations of phi, (outputs,).
        """
        self.spread.copy_(spread)
        law, density = self.rows(x)
        size = law.square().sum(2).mean()
        self.emphasis.copy_((size / density.square().sum(2).mean()).sqrt())
        self.softness.copy_(softness * size)

    def rows(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """d phi / du, standardised, and d log p / du: (B, *s) -> (B, outputs, D), (B, 1, D)."""
        u = self.free.whiten(x)
        parts = torch.split(u, CHUNK)
        law = [jacobian(lambda v: self.oracle(self.free.unwhiten(v)) / self.spread, part) for part in parts]
        return torch.cat(law), jacobian(lambda v: self.free.log_density(v)[:, None], u)

    def project(self, rows: Tensor, fields: Tensor) -> Tensor:
        """The part of the fields (B, K, D) in the soft kernel of the rows (B, M, D)."""
        gram = rows @ rows.mT + self.softness * torch.eye(rows.shape[1]).to(rows)
        along = torch.cholesky_solve(rows @ fields.mT, torch.linalg.cholesky(gram))
        return fields - (rows.mT @ along).mT

    def velocity(self, x: Tensor) -> Tensor:
        law, density = self.rows(x)
        free = self.free.velocity(x).flatten(2) @ self.free.whitening
        fields = self.project(torch.cat([law, self.emphasis * density], 1), free.transpose(0, 1))
        return (fields @ self.free.unwhitening).transpose(0, 1).reshape(self.K, *x.shape)

    def mix(self, c: Tensor) -> None:
        """Replace the fields by sum_k c_jk v_k, c (K, K)."""
        self.free.mix(c)
