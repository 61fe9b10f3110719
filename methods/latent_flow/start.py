"""Where generators start: those along which phi changes least, and with them the density."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .algebra import antisymmetric_basis, lowest, pushed_forms
from .law import Law
from .warped import WarpedGenerators

__all__ = ["change_of_density", "starting_generators"]

CHUNK = 2000
WAVES = 1024


def starting_generators(
    symmetry: WarpedGenerators, law: Law, u: Tensor, *, points: int, balance: float, draw: torch.Generator
) -> None:
    """Set L, |L|^2 = D, to the K generators with the smallest ratios

        (E |d phi(v)|^2 + balance * change of density) / E |v|^2,

    both in units of their mean over the generators. The whole algebra is gl(D), or so(D) for rotations.

    Arguments:
        u: whitened samples (B, D).
        points: at how many of them derivatives of phi are taken.
        balance: weight of the change of density.
    """
    D = u.shape[1]
    basis = antisymmetric_basis(D) if symmetry.rotation else torch.eye(D * D).reshape(-1, D, D)
    with torch.no_grad():
        w = symmetry.map()(u)
    form, norm = pushed_forms(symmetry.map().inv, law.phi, w[:points], basis)
    if balance:
        change = change_of_density(w, basis, draw)
        form = form / form.trace() + balance * change / change.trace()
    _, c = lowest(form, norm, symmetry.K)
    L = torch.einsum("ka,aij->kij", c.to(u), basis.to(u))
    with torch.no_grad():
        symmetry.raw.copy_(L * (D**0.5 / L.flatten(1).norm(dim=1))[:, None, None])


def change_of_density(w: Tensor, basis: Tensor, draw: torch.Generator) -> Tensor:
    """sum_g (E v_a.grad g)(E v_b.grad g) for the fields v_a = E_a w: zero along v where v keeps every E g.

    The g are random waves cos(o.w + b), o normal with |o| about 1: up to a factor, this is the second derivative of the
    squared maximum mean discrepancy (Gretton et al., 2012) between the samples and the moved samples.

    Arguments:
        w: samples (B, D).
        basis: E_a, (N, D, D).

    Returns:
        (N, N), float64.
    """
    D = w.shape[1]
    frequencies = (torch.randn(WAVES, D, generator=draw) / math.sqrt(D)).to(w)
    phases = (2 * math.pi * torch.rand(WAVES, generator=draw)).to(w)
    moments = torch.zeros(WAVES, D).to(w)
    for part in torch.split(w, CHUNK):
        moments = moments - torch.sin(part @ frequencies.T + phases).T @ part / len(w)
    changes = torch.einsum("aij,gi,gj->ag", basis.to(w), frequencies, moments).double().cpu()
    return changes @ changes.T
