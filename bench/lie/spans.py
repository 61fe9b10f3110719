"""Spans of vectors: orthonormal bases and principal angles, in float64."""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["ROUNDING", "deviation", "grassmann", "orthonormaliser", "principal_angles"]

DROPPED = 1e-4
ROUNDING = 1e-10


def orthonormaliser(vectors: Tensor, dropped: float = DROPPED) -> Tensor:
    """T (R, K) such that the rows of T v are orthonormal and span those of v (K, P).

    Each vector is scaled to unit length first, and directions with a Gram eigenvalue under `dropped` of the largest
    are dropped: R <= K, and R = 0 where all vectors vanish. 1e-4 is for what was discovered, `ROUNDING` for what is
    exact.
    """
    v = vectors.double()
    lengths = v.norm(dim=1)
    scale = torch.where(lengths > 0, 1 / lengths, 0)
    unit = scale[:, None] * v
    values, columns = torch.linalg.eigh(unit @ unit.T)
    kept = values > max(dropped * values.max().item(), 1e-300) if len(v) else values > 0
    rows: Tensor = (columns[:, kept] / values[kept].sqrt()).T * scale
    return rows


def principal_angles(V: Tensor, U: Tensor) -> Tensor:
    """The min(K, J) angles between two spans with orthonormal rows (K, P) and (J, P), ascending, in radians.

    By cosine above 45 degrees and by sine below, as small angles are lost in a cosine (Bjorck & Golub 1973).
    """
    if len(V) < len(U):
        V, U = U, V
    V, U = V.double(), U.double()
    cross = U @ V.T
    cosines = torch.linalg.svdvals(cross).clamp(max=1)
    sines = torch.linalg.svdvals(U - cross @ V).clamp(max=1).flip(0)
    return torch.where(cosines.square() < 0.5, cosines.arccos(), sines.arcsin())


def grassmann(angles: Tensor, K: int, J: int) -> float:
    """sqrt(sum theta_i^2 + |K - J| (pi / 2)^2) of the principal angles between spans of dimensions K and J."""
    return math.sqrt(angles.square().sum().item() + abs(K - J) * (math.pi / 2) ** 2)


def deviation(vectors: Tensor, others: Tensor) -> float:
    """The RMS distance of a unit vector of the span of (K, P) from other spans (R, J, P).

    sqrt(mean_rk |v_k - P_r v_k|^2), v_k an orthonormal basis of the span, P_r the projector on another.
    """
    V = orthonormaliser(vectors, ROUNDING) @ vectors.double()
    outside = [V - V @ Q.T @ Q for Q in (orthonormaliser(other, ROUNDING) @ other.double() for other in others)]
    return torch.stack(outside).square().sum(2).mean().sqrt().item()
