"""The smooth fields that, once projected, change the density of the samples least: one eigenproblem."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .algebra import lowest
from .tangent import TangentFields

__all__ = ["fit_tangent"]

CHUNK = 512
SCALES = (0.5, 1.0, 2.0)
EMPHASIS = 5.0


def fit_tangent(
    symmetry: TangentFields, x: Tensor, *, softness: float, moments: int, stiffness: float, draw: torch.Generator
) -> None:
    """Set the weights to the K lowest eigenvectors of (change of density + stiffness * violation) against speed.

    A field keeps p where E v.grad g = 0 for every g. The change of density is the sum of squares of these over random
    waves of three length scales and all polynomials of degree 2; the violation is E |d phi(v)|^2; the speed is
    E v'Mv with M = E d phi' d phi, so that coordinates count as much as phi feels them.

    Arguments:
        x: samples (B, *s).
        softness: that of the projection, relative to the mean square of a row.
    """
    rows = torch.cat([symmetry.rows(part) for part in torch.split(x, CHUNK)])
    law, density = rows[:, :-1], rows[:, -1:]
    size = law.square().sum(-1).mean()
    emphasis = EMPHASIS * (size / density.square().sum(-1).mean().clamp(min=1e-12)).sqrt()
    symmetry.emphasis.copy_(emphasis)
    symmetry.softness.copy_(softness * size)
    metric = torch.einsum("bmi,bmj->ij", law, law) / len(law)
    metric = metric + 1e-3 * metric.diagonal().mean() * torch.eye(symmetry.D).to(metric)
    projectors = torch.cat([
        symmetry.project(torch.cat([a, emphasis * b], 1), torch.eye(symmetry.D).to(x).expand(len(a), -1, -1))
        for a, b in zip(torch.split(law, CHUNK), torch.split(density, CHUNK), strict=True)
    ])
    u = symmetry.whiten(x)
    psi = symmetry.features(u).detach()
    change = change_of_density(u, psi, projectors, moments, draw)
    speed = quadratic(psi, projectors, metric.expand(len(x), -1, -1))
    violation = quadratic(psi, projectors, law.mT @ law)
    form = change / change.diagonal().mean() * speed.diagonal().mean() + stiffness * violation
    _, c = lowest(form, speed, symmetry.K)
    symmetry.weights.copy_(c.to(x).reshape(symmetry.K, symmetry.waves, symmetry.D))


def change_of_density(u: Tensor, psi: Tensor, projectors: Tensor, moments: int, draw: torch.Generator) -> Tensor:
    """sum_g (E v_a.grad g) (E v_b.grad g) for the fields v_a = psi_f(u) P(u) e_d: (F D, F D).

    Arguments:
        u: whitened samples (B, D).
        psi: features (B, F).
        projectors: P, symmetric, (B, D, D).
        moments: number of random waves g.
    """
    D = u.shape[1]
    scales = torch.tensor(SCALES).repeat(moments // len(SCALES) + 1)[:moments, None] * math.sqrt(D)
    frequencies = (torch.randn(moments, D, generator=draw) / scales).to(u)
    phases = (2 * math.pi * torch.rand(moments, generator=draw)).to(u)
    first, second = torch.triu_indices(D, D)
    total: Tensor = torch.zeros(())
    for v, features, P in zip(*(torch.split(part, CHUNK) for part in (u, psi, projectors)), strict=True):
        waves = math.sqrt(2) * torch.sin(v @ frequencies.T + phases)[..., None] * (frequencies @ P)
        squares = (v[:, first, None] * P[:, second] + v[:, second, None] * P[:, first]) / math.sqrt(2)
        pushed = torch.cat([waves, P, squares], 1)
        total = total + torch.einsum("bf,bgd->gfd", features, pushed).flatten(1) / len(u)
    return total.double().T @ total.double()


def quadratic(psi: Tensor, projectors: Tensor, forms: Tensor) -> Tensor:
    """E v_a'(Q v_b) for the fields v_a = psi_f P e_d and forms Q (B, D, D): (F D, F D)."""
    F, D = psi.shape[1], projectors.shape[1]
    total: Tensor = torch.zeros(())
    for features, P, Q in zip(*(torch.split(part, CHUNK) for part in (psi, projectors, forms)), strict=True):
        weighted = torch.einsum("bf,bde->bfde", features, P @ Q @ P).flatten(1)
        total = total + features.T @ weighted / len(psi)
    return total.view(F, F, D, D).permute(0, 2, 1, 3).reshape(F * D, F * D).double()
