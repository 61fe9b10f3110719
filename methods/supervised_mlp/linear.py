"""Generators of a matrix action from pairs, held to the density of unlabelled samples."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from bench.contracts import Action, Pairs

__all__ = ["change_of_density", "coarse", "fit_generators", "missed"]

WAVES = 1024
FREQUENCY = 0.5
CHUNK = 500


def missed(moved: Tensor, pairs: Pairs) -> Tensor:
    """E |moved - g x|^2 / E |g x - x|^2: 1 for the identity, 0 for the right map."""
    return (moved - pairs.moved).square().sum() / (pairs.moved - pairs.x).square().sum().clamp(min=1e-30)


def change_of_density(basis: Tensor, action: Action, x: Tensor) -> Tensor:
    """Q_ab = sum_g (E v_a . grad g) (E v_b . grad g), divided by the mean of its diagonal: (N, N).

    How fast the flow of v moves samples x (B, *s) apart from themselves, in the sense of the maximum mean discrepancy
    (Gretton et al., JMLR 13, 2012), with random waves g = cos(w . x + b), w as large as half of 1 / the RMS component.

    Arguments:
        basis: E_a, (N, n, n), of fields v_a.
    """
    draw = torch.Generator().manual_seed(0)
    flat = x.flatten(1)
    scale = flat.var(0).mean().sqrt()
    w = torch.randn(WAVES, flat.shape[1], generator=draw).to(x) * FREQUENCY / scale
    b = (2 * math.pi * torch.rand(WAVES, generator=draw)).to(x)
    rates = x.new_zeros(WAVES, len(basis))
    for part in torch.split(x, CHUNK):
        slope = -torch.sin(part.flatten(1) @ w.T + b)
        fields = action.velocity(basis.to(x), part).flatten(2)
        rates += torch.einsum("bg,gd,abd->ga", slope, w, fields) / len(x)
    form = (rates.T @ rates).double()
    return form / form.diagonal().mean()


def coarse(pairs: Pairs) -> Pairs:
    """Pairs of images (B, C, H, W), each pixel the mean of a square around it, a quarter of the image high."""
    width = pairs.x.shape[2] // 4 | 1
    x, moved = (F.avg_pool2d(images, width, 1, width // 2) for images in (pairs.x, pairs.moved))
    return Pairs(x, moved, pairs.coefficient)


def fit_generators(
    action: Action, basis: Tensor, pairs: Pairs, form: Tensor, *, steps: int, start: Tensor | None = None
) -> Tensor:
    """The c of L_k = sum_a c_ka E_a that minimise N_pairs `missed` + sum_k c_k' form c_k, by L-BFGS: (K, N).

    Arguments:
        basis: E_a, (N, n, n).
        form: the price of a generator, (N, N).
        steps: iterations.
        start: where to begin, (K, N); None: at 0.
    """
    E = basis.to(pairs.x)
    times, which = torch.unique(pairs.coefficient, dim=0, return_inverse=True)
    c = (torch.zeros(times.shape[1], len(E)).to(E) if start is None else start.clone()).requires_grad_()
    descent = torch.optim.LBFGS([c], max_iter=steps, line_search_fn="strong_wolfe", tolerance_grad=1e-9)

    def objective() -> Tensor:
        g = torch.linalg.matrix_exp(torch.einsum("tk,ka,aij->tij", times, c, E))
        price = torch.einsum("ka,ab,kb->", c, form.to(c), c)
        loss = missed(action.act(g[which], pairs.x), pairs) + price / len(pairs.x)
        descent.zero_grad()
        torch.autograd.backward(loss)
        return loss

    descent.step(objective)  # type: ignore[no-untyped-call]
    return c.detach()
