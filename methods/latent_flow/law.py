"""The law that a symmetry must keep, in units of chance."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from bench.contracts import Oracle

__all__ = ["Law", "Standardised", "Surrogate", "predict"]

CHUNK = 500
RADII = (0.05, 0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)


def predict(phi: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """phi(x) in chunks and without gradient: (B, *s) -> (B, m)."""
    with torch.no_grad():
        return torch.cat([phi(part) for part in x.split(CHUNK)])


class Surrogate(nn.Module):
    """A fully connected network in place of phi: on vectors of D components it is many times cheaper than phi(D(z)).

    Arguments:
        D: components of a sample.
        m: outputs of phi.
        width: units of the two hidden layers.
    """

    def __init__(self, D: int, m: int, width: int) -> None:
        super().__init__()
        self.network = nn.Sequential(
            nn.Linear(D, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, m)
        )

    def forward(self, u: Tensor) -> Tensor:
        return cast(Tensor, self.network(u))


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
    """phi, and by how much a random displacement of a given length changes it: the unit of every violation.

    Arguments:
        phi: u (B, D) -> (B, m), standardised.
        u: samples (B, D) on which chance is measured.
        draw: generator of the random directions.
    """

    def __init__(self, phi: Callable[[Tensor], Tensor], u: Tensor, draw: torch.Generator) -> None:
        self.phi = phi
        directions = torch.randn(u.shape, generator=draw).to(u)
        directions = directions / directions.norm(dim=1, keepdim=True)
        still = predict(phi, u)
        changes = [(predict(phi, u + r * directions) - still).square().mean() for r in RADII]
        self.lengths = torch.tensor(RADII).to(u).log()
        self.changes = torch.stack(changes).clamp(min=1e-12).log()

    def chance(self, length: Tensor) -> Tensor:
        """Mean squared change of phi under random displacements of these lengths; quadratic below the shortest."""
        s = length.clamp(min=1e-9).log()
        j = torch.bucketize(s, self.lengths).clamp(1, len(self.lengths) - 1)
        a, b = self.lengths[j - 1], self.lengths[j]
        between = torch.lerp(self.changes[j - 1], self.changes[j], ((s - a) / (b - a)).clamp(0, 1))
        return (between + 2 * (s - self.lengths[0]).clamp(max=0)).exp()

    def violation(self, u: Tensor, moved: Tensor, still: Tensor) -> Tensor:
        """E |phi(moved) - phi(u)|^2 over chance at the same displacements: 0 is a symmetry, 1 a random move.

        Arguments:
            u, moved: samples before and after, (C, B, D); the mean is taken over B.
            still: phi(u), (C, B, m).

        Returns:
            (C,).
        """
        change = (self.phi(moved.flatten(0, 1)).view_as(still) - still).square().mean(-1)
        return change.mean(-1) / self.chance((moved - u).norm(dim=-1)).mean(-1)
