"""The law that a symmetry must keep, in units of chance."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from bench.contracts import Oracle

__all__ = ["Law", "Standardised", "predict"]

CHUNK = 500


def predict(phi: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """phi(x) in chunks and without gradient: (B, *s) -> (B, m)."""
    with torch.no_grad():
        return torch.cat([phi(part) for part in torch.split(x, CHUNK)])


class Standardised(Oracle):
    """phi at mean 0 and variance 1 in each component over samples x (B, *s)."""

    def __init__(self, oracle: Oracle, x: Tensor) -> None:
        super().__init__()
        values = predict(oracle, x)
        self.oracle = oracle
        self.mean, self.spread = values.mean(0), values.std(0).clamp(min=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = (self.oracle(x) - self.mean) / self.spread
        return out


class Law:
    """phi, and how much it changes under random displacements of the same samples: the unit of every violation.

    Arguments:
        phi: u (B, D) -> (B, m), standardised.
        draw: generator of the random directions.
    """

    def __init__(self, phi: Callable[[Tensor], Tensor], draw: torch.Generator) -> None:
        self.phi = phi
        self.draw = draw

    def matched(self, move: Tensor) -> Tensor:
        """Random directions, each as long as its sample's move: (B, D) -> (B, D)."""
        direction = torch.randn(move.shape, generator=self.draw).to(move)
        scaled: Tensor = direction * (move.norm(dim=-1, keepdim=True) / direction.norm(dim=-1, keepdim=True))
        return scaled

    def violation(self, u: Tensor, moved: Tensor, still: Tensor) -> Tensor:
        """E |phi(moved) - phi(u)|^2 over the same for random moves of the same samples, each as long: 1 is chance.

        Pooled over other samples, chance could be beaten by moving those samples that phi is blind to.

        Arguments:
            u, moved: samples before and after, (B, D).
            still: phi(u), (B, m).
        """
        both = self.phi(torch.cat([moved, u + self.matched(moved - u)]))
        found, chance = (both - still.repeat(2, 1)).square().mean(1).chunk(2)
        return found.mean() / chance.mean().clamp(min=1e-12)

    def rate(self, u: Tensor, fields: Tensor) -> Tensor:
        """E |d phi(v_k)|^2 over the same for random directions, mean over k, by exact derivatives; fields (K, B, D)."""
        ratios = []
        for v in fields:
            found, chance = (torch.func.jvp(self.phi, (u,), (d,))[1].square().mean() for d in (v, self.matched(v)))
            ratios.append(found / chance.clamp(min=1e-12))
        return torch.stack(ratios).mean()
