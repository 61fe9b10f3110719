"""Langevin chains."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["langevin"]


def langevin(
    energy: Callable[[Tensor], Tensor],
    x: Tensor,
    steps: int,
    size: float,
    temperature: float,
    draw: torch.Generator,
    onto: Callable[[Tensor], Tensor] = lambda x: x,
) -> Tensor:
    """x -> onto(x - size dE/dx + sqrt(2 size T) noise), `steps` times: for small sizes samples of e^(-E/T), (B, D).

    Arguments:
        energy: (B, D) -> (B,).
        x: where the chains start, (B, D).
        size: of a step.
        temperature: T.
        draw: generator of the noise.
        onto: brings a chain back to where samples may be.
    """
    for _ in range(steps):
        x = x.detach().requires_grad_()
        slope = torch.autograd.grad(energy(x).sum(), x)[0]
        noise = torch.randn(x.shape, generator=draw).to(x)
        x = onto(x.detach() - size * slope + math.sqrt(2 * size * temperature) * noise)
    return x
