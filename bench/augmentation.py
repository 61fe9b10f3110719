"""Augmentation: random moves along a symmetry, as far as makes sense without knowing which group it is."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from bench.contracts import Symmetry
from bench.lie import orthonormaliser

__all__ = ["Augmentation"]

REFERENCES = 512
DIRECTIONS = 256
GROWTH = 0.35


class Augmentation:
    """x -> exp(t v) x, y likewise where targets move, then one of the finite elements.

    v is drawn from the sphere of the span's fields, made orthonormal over the samples, so that the generators' basis
    and length do not matter: E |v|^2 = Var(x). t is uniform in [-T, T]. A matrix v whose eigenvalues are imaginary,
    up to a growth of e^0.35 in half a turn, is followed all the way round, T = pi / max |Im lambda|; any other until
    it has gone `reach` deviations of the data. Finite elements are drawn uniformly, the identity among them; where
    the target moves they are left out.

    Arguments:
        symmetry: along which to move; K = M = 0 leaves everything where it is.
        x: training samples (N, *s), for the scale of the data.
        reach: T of what does not turn, in deviations of the data.
        seed: of the directions.
    """

    def __init__(self, symmetry: Symmetry, x: Tensor, reach: float = 1.0, seed: int = 0) -> None:
        self.symmetry = symmetry
        draw = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            unit = _unit_fields(symmetry, x[:REFERENCES])
        c = torch.randn(DIRECTIONS, len(unit), generator=draw).to(unit)
        self.directions = c / c.norm(dim=1, keepdim=True).clamp(min=1e-12) @ unit
        self.times = _times(symmetry, self.directions, reach)

    def __call__(self, x: Tensor, y: Tensor, draw: torch.Generator) -> tuple[Tensor, Tensor]:
        """A batch (B, *s), (B, *t) moved, each sample by its own amount."""
        with torch.no_grad():
            if self.directions.shape[1]:
                chosen = torch.randint(DIRECTIONS, (len(x),), generator=draw)
                share = 2 * torch.rand(len(x), generator=draw) - 1
                t = (share.to(self.times) * self.times[chosen])[:, None] * self.directions[chosen]
                x, y = self.symmetry.transform(x, t.to(x)), self.symmetry.transform_target(y, t.to(x))
            if self.symmetry.M and self.symmetry.action.target is None:
                x = self._element(x, torch.randint(self.symmetry.M + 1, (len(x),), generator=draw))
        return x, y

    def _element(self, x: Tensor, number: Tensor) -> Tensor:
        """Each sample moved by the element of its number; M is the identity."""
        moved = x.clone()
        for j in range(self.symmetry.M):
            mine = (number == j).to(x.device)
            if mine.any():
                moved[mine] = self.symmetry.element(x[mine], j)
        return moved


def _unit_fields(symmetry: Symmetry, x: Tensor) -> Tensor:
    """Coefficients (J, K) of fields that are orthonormal over x in units of its deviation; J = 0 for none."""
    if not symmetry.K:
        return torch.zeros(0, 0, device=x.device)
    deviation = (x - x.mean(0)).flatten(1).square().sum(1).mean().sqrt()
    velocities = symmetry.velocity(x).flatten(1) / (deviation * math.sqrt(len(x)))
    return orthonormaliser(velocities).to(x)


def _times(symmetry: Symmetry, directions: Tensor, reach: float) -> Tensor:
    """T of each direction, (DIRECTIONS,)."""
    matrices = symmetry.matrices()
    if matrices is None or not directions.shape[1]:
        return torch.full((DIRECTIONS,), reach, device=directions.device)
    values = torch.linalg.eigvals(torch.einsum("dk,kij->dij", directions.to(matrices), matrices))
    half_turn = math.pi / values.imag.abs().amax(1).clamp(min=1e-12)
    turns = values.real.abs().amax(1) * half_turn < GROWTH
    return torch.where(turns, half_turn, reach).to(directions)
