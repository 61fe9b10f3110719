"""The equations of a symmetry: how much a law changes along fields."""

from __future__ import annotations

import torch
from torch import Tensor

from bench.contracts import Oracle
from bench.lie import jacobian

from .fields import Blockwise, FirstOrder, HiddenGenerators

__all__ = ["Equations"]

SOFT = 1e-3


class Equations:
    """The Lie derivative of a law along fields, and its integral over a time: zero for a symmetry.

    (L_v phi)(x) = d/dt [phi(s_t x) - s_t phi(x)] at t = 0, with s_t phi as the oracle has it: v.grad phi for an
    invariant, [v, F] for a vector field F, and so on for tensors.

    Changes of phi are measured at every sample in units of chance, P = (J J' + soft)^(-1/2) with J = d phi in whitened
    samples: of components that nearly agree, as energy and spin on a circular orbit, the difference counts as much.

    Arguments:
        oracle: phi.
        unwhitening: from whitened samples to samples, (D, D).
    """

    def __init__(self, oracle: Oracle, unwhitening: Tensor) -> None:
        self.oracle = oracle
        self.unwhitening = unwhitening

    def units(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """P, (B, m, m), and E |P d phi|^2 for a random move of length 1, (B,)."""
        J = jacobian(self.oracle, x).detach() @ self.unwhitening
        values, vectors = torch.linalg.eigh(J @ J.mT)
        soft = values.clamp(min=0) + SOFT * values[:, -1:] + 1e-30
        P = (vectors / soft.sqrt()[:, None]) @ vectors.mT
        return P, (values / soft).sum(1) / J.shape[2]

    def derivatives(self, symmetry: HiddenGenerators, x: Tensor) -> Tensor:
        """P L_k phi for every field: x (B, *s) -> (K, B, m)."""
        points = repeated(x, symmetry.K)
        each = torch.eye(symmetry.K).to(x).repeat_interleave(len(x), 0)
        still, moving = torch.zeros_like(each), FirstOrder(symmetry)
        rate = torch.func.jvp(lambda t: self.oracle.violation(moving, points, t), (still,), (each,))[1]
        out: Tensor = torch.einsum("bij,kbj->kbi", self.units(x)[0], rate.reshape(symmetry.K, len(x), -1))
        return out

    def violations(self, symmetry: HiddenGenerators, x: Tensor, time: float) -> tuple[Tensor, Tensor]:
        """E [f / (f + c)] for every field, (K,): f = |P (phi(s x) - s phi(x))|^2, c that of a random move as long.

        0 for a symmetry, about 1/2 for chance, and every sample counts alike, however steep phi is there. With it, the
        moves per unit time in whitened samples, (K, B, D).

        Arguments:
            time: for which the fields are followed.
        """
        K, B = symmetry.K, len(x)
        points, moving = repeated(x, K), Blockwise(symmetry, time)
        still = points.new_zeros(len(points), K)
        P, chance = self.units(x)
        change = self.oracle.violation(moving, points, still).reshape(K, B, -1)
        moved = (moving.transform(points, still) - points).reshape(K, B, -1) @ symmetry.chart.whitening
        f = torch.einsum("bij,kbj->kbi", P, change).square().sum(2)
        c = chance * moved.square().sum(2)
        ratio: Tensor = (f / (f + c).clamp(min=1e-30)).mean(1)
        return ratio, moved / time


def repeated(x: Tensor, K: int) -> Tensor:
    """K blocks of the same samples: (B, *s) -> (K B, *s)."""
    return x.repeat(K, *[1] * (x.dim() - 1))
