"""Random elements of a group, given its algebra: all of the compact part, boosts up to a rapidity."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from bench.lie.spans import orthonormaliser

__all__ = ["group_elements"]

WALK = 4
COMPACT = 1e-6


def group_elements(generators: Tensor, count: int, rapidity: float, draw: torch.Generator) -> Tensor:
    """Coefficients t of flows to be made one after another, (steps, count, K): g = exp(t_1 A) ... exp(t_steps A).

    Antisymmetric matrices of the span are its compact part. Each step turns about a random axis by a uniform angle of
    the whole circle; its distribution does not depend on the axis, so that the mean of an irreducible character chi_l
    falls as c_l^steps towards the Haar measure, c_l = 1 / (2 l + 1) of SO(3); one generator needs one step. What is
    left of the span moves by matrices of spectral norm up to `rapidity`, in between.

    Arguments:
        generators: A (K, n, n), in orthonormal coordinates.
        rapidity: of the non-compact part.
    """
    A = generators.double().cpu()
    unit = orthonormaliser(A.flatten(1))
    basis = (unit @ A.flatten(1)).reshape(-1, *A.shape[1:])
    values, columns = torch.linalg.eigh(_products(basis + basis.mT))
    compact = columns.T[values < COMPACT] @ unit
    boosts = columns.T[values >= COMPACT] @ unit
    steps = [_turns(compact, A, count, draw) for _ in range(1 if len(compact) == 1 else WALK)] if len(compact) else []
    if len(boosts):
        steps.insert(len(steps) // 2, _boosts(boosts, A, count, rapidity, draw))
    return torch.stack(steps) if steps else torch.zeros(0, count, len(A), dtype=torch.float64)


def _products(matrices: Tensor) -> Tensor:
    flat = matrices.flatten(1)
    return flat @ flat.T


def _directions(basis: Tensor, count: int, draw: torch.Generator) -> Tensor:
    c = torch.randn(count, len(basis), generator=draw, dtype=torch.float64)
    directions: Tensor = (c / c.norm(dim=1, keepdim=True)) @ basis
    return directions


def _turns(basis: Tensor, A: Tensor, count: int, draw: torch.Generator) -> Tensor:
    """A uniform angle in [-pi, pi] of the fastest plane about a random axis."""
    t = _directions(basis, count, draw)
    speed = torch.linalg.eigvals(torch.einsum("bk,kij->bij", t, A)).imag.abs().amax(1)
    angle = math.pi * (2 * torch.rand(count, generator=draw, dtype=torch.float64) - 1)
    turns: Tensor = t * (angle / speed)[:, None]
    return turns


def _boosts(basis: Tensor, A: Tensor, count: int, rapidity: float, draw: torch.Generator) -> Tensor:
    t = _directions(basis, count, draw)
    norm = torch.linalg.matrix_norm(torch.einsum("bk,kij->bij", t, A), 2)
    size = rapidity * torch.rand(count, generator=draw, dtype=torch.float64)
    boosts: Tensor = t * (size / norm)[:, None]
    return boosts
