"""Control: random fields projected on the kernel of d phi."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from bench.contracts import (
    Action,
    BenchError,
    MatrixSymmetry,
    Method,
    Oracle,
    RandomFields,
    Symmetry,
    Task,
    rms_speed,
    unit_speed,
)  # fmt: skip
from bench.lie import jacobian, rates_of_change

__all__ = ["InKernel", "Kernel"]

SAMPLES = 1000
NULL = 0.05


class InKernel(Symmetry):
    """w_k = v_k - J^+ J v_k for smooth random fields v_k and J = d phi(x), at every point.

    Arguments:
        K: number of fields.
        oracle: phi; its rank is taken at a relative tolerance of 1e-4.
    """

    asks = frozenset({"oracle"})
    rk4_steps = 3

    def __init__(self, action: Action, K: int, oracle: Oracle) -> None:
        super().__init__(action, K)
        self.oracle: Oracle
        self.borrow("oracle", oracle)
        self.free = RandomFields(action, K)

    def config(self) -> dict[str, Any]:
        return {"K": self.K}

    def velocity(self, x: Tensor) -> Tensor:
        J = jacobian(self.oracle, x)
        fields = self.free.velocity(x).flatten(2)
        along = torch.linalg.pinv(J, rtol=1e-4) @ torch.einsum("bmd,kbd->bmk", J, fields)
        inside: Tensor = fields - along.permute(2, 0, 1)
        return inside.reshape(self.K, *x.shape)


@dataclass(frozen=True)
class Kernel(Method):
    """Random directions that change phi least: preserves the oracle best of all and knows nothing of the samples.

    For an action `field`: a smooth random field, projected at every point on the kernel of d phi. For matrices: a
    random matrix, projected on the near-null space of Q_ab = E (L_a phi)'(L_b phi): the generators, orthonormal in
    E v_a'v_b, with an eigenvalue under a twentieth of the mean, and at least K of them.

    Arguments:
        K: number of fields.
    """

    K: int = 1

    control = True

    def discover(self, task: Task) -> Symmetry:
        if task.oracle is None:
            raise BenchError("the kernel control needs an oracle and the task has none", "choose an --oracle")
        x = task.train.x[:SAMPLES]
        basis = task.action.candidates(x).matrices()
        if basis is None:
            return self._pointwise(task, task.oracle, x)
        return self._matrices(task, task.oracle, basis, x)

    def _pointwise(self, task: Task, oracle: Oracle, x: Tensor) -> Symmetry:
        symmetry = InKernel(task.action, self.K, oracle.requires_grad_(False).eval()).to(x)
        symmetry.free = RandomFields.over(task.action, x, self.K, task.seed).to(x)
        weights = symmetry.free.weights / rms_speed(symmetry, x)[:, None, None].clamp(min=1e-12)
        symmetry.free.weights = weights
        return symmetry

    def _matrices(self, task: Task, oracle: Oracle, basis: Tensor, x: Tensor) -> Symmetry:
        form, norm = rates_of_change(oracle, partial(task.action.velocity, basis), x)
        speeds, axes = torch.linalg.eigh(norm)
        kept = speeds > 1e-6 * speeds[-1]
        unit = axes[:, kept] / speeds[kept].sqrt()
        ratios, vectors = torch.linalg.eigh(unit.T @ form @ unit)
        null = max(self.K, int((ratios < NULL * ratios.mean()).sum()))
        mix = torch.randn(self.K, null, generator=torch.Generator().manual_seed(task.seed)).double()
        matrices = torch.einsum("ka,aij->kij", mix @ (unit @ vectors[:, :null]).T, basis.double().cpu())
        return unit_speed(MatrixSymmetry.of(task.action, matrices.to(x)), x)
