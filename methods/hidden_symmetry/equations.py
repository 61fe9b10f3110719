"""The equations of a symmetry: how much a law changes along fields."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bench.contracts import Oracle

from .fields import Blockwise, FirstOrder, HiddenGenerators

__all__ = ["Equations"]

LEAST = 1e-4


class Equations:
    """The Lie derivative of a law along fields, and its integral over a time: zero for a symmetry.

    (L_v phi)(x) = d/dt [phi(s_t x) - s_t phi(x)] at t = 0, with s_t phi as the oracle has it: v.grad phi for an
    invariant, [v, F] for a vector field F, and so on for tensors.

    Arguments:
        oracle: phi.
        x: samples over which phi is made white: of components that nearly agree, the difference counts as much.
    """

    def __init__(self, oracle: Oracle, x: Tensor) -> None:
        self.oracle = oracle
        with torch.no_grad():
            values, vectors = torch.linalg.eigh(torch.cov(oracle(x).double().T).reshape(-1, len(oracle(x[:1])[0])))
        self.white = (vectors / values.clamp(min=LEAST * values.max().item()).sqrt()).to(x)

    def derivatives(self, symmetry: HiddenGenerators, x: Tensor) -> Tensor:
        """L_k phi for every field: x (B, *s) -> (K, B, m)."""
        points = repeated(x, symmetry.K)
        each = torch.eye(symmetry.K).to(x).repeat_interleave(len(x), 0)
        still, moving = torch.zeros_like(each), FirstOrder(symmetry)
        rate = torch.func.jvp(lambda t: self.oracle.violation(moving, points, t), (still,), (each,))[1]
        out: Tensor = (rate @ self.white).reshape(symmetry.K, len(x), -1)
        return out

    def violations(
        self, symmetry: HiddenGenerators, x: Tensor, time: float, random: Tensor
    ) -> tuple[Tensor, Tensor]:
        """E [f / (f + c)] for every field, (K,): f = |phi(s x) - s phi(x)|^2, c the same under a translation as long.

        0 for a symmetry, about 1/2 for chance, and every sample counts alike, however steep phi is there. With it, the
        moves per unit time in whitened samples, (K, B, D).

        Arguments:
            time: for which the fields are followed.
            random: normal numbers that become directions of the translations, (K, B, *s).
        """
        points = repeated(x, symmetry.K)
        moving = Blockwise(symmetry, time)
        still = points.new_zeros(len(points), symmetry.K)
        found = self.oracle.violation(moving, points, still) @ self.white
        moved = (moving.transform(points, still) - points).flatten(1) @ symmetry.chart.whitening
        shift = nn.functional.normalize(random.flatten(2).flatten(0, 1), dim=1) * moved.norm(dim=1, keepdim=True)
        shifted = points + (shift @ symmetry.chart.unwhitening).reshape(points.shape)
        chance = (self.oracle(shifted) - self.oracle(points)) @ self.white
        f, c = (change.square().sum(1).reshape(symmetry.K, -1) for change in (found, chance))
        ratio: Tensor = (f / (f + c).clamp(min=1e-30)).mean(1)
        return ratio, moved.reshape(symmetry.K, len(x), -1) / time


def repeated(x: Tensor, K: int) -> Tensor:
    """K blocks of the same samples: (B, *s) -> (K B, *s)."""
    return x.repeat(K, *[1] * (x.dim() - 1))
