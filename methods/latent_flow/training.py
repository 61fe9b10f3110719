"""Gradient descent with clipping, a cosine schedule and early stopping."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from bench.contracts import Progress

__all__ = ["batches", "descend"]


def descend(
    module: nn.Module,
    loss: Callable[[int], Tensor],
    valid: Callable[[], float],
    *,
    steps: int,
    rate: float,
    checks: int = 20,
    patience: int = 6,
    clip: float = 1.0,
    progress: Progress,
) -> float:
    """Adam until `steps` are done or `valid` has not fallen for `patience` checks; keeps the best state.

    Arguments:
        loss: step -> scalar.
        rate: highest learning rate; it rises over the first twentieth and falls to zero along a cosine.
        checks: how often `valid` is called.
        clip: largest norm of the gradient.

    Returns:
        The smallest `valid`, whose state the module has in the end.
    """
    optimiser = torch.optim.Adam([p for p in module.parameters() if p.requires_grad], rate)
    every = max(1, steps // checks)
    best, state, since = math.inf, snapshot(module), 0
    for step in range(steps):
        share = min(1.0, 20 * (step + 1) / steps) * (1 + math.cos(math.pi * step / steps)) / 2
        optimiser.param_groups[0]["lr"] = rate * share
        value = loss(step)
        optimiser.zero_grad()
        torch.autograd.backward(value)
        nn.utils.clip_grad_norm_(module.parameters(), clip)
        optimiser.step()
        progress(step + 1, steps, float(value.detach()))
        if (step + 1) % every == 0 or step + 1 == steps:
            found = valid()
            since = 0 if found < best else since + 1
            if found < best:
                best, state = found, snapshot(module)
            if since >= patience:
                break
    module.load_state_dict(state)
    return best


def snapshot(module: nn.Module) -> dict[str, Tensor]:
    """A copy of the state."""
    return {name: value.detach().clone() for name, value in module.state_dict().items()}


def batches(count: int, size: int, draw: torch.Generator) -> Iterator[Tensor]:
    """Indices of shuffled batches of `size` (all samples if they are fewer), for ever."""
    size = min(size, count)
    while True:
        order = torch.randperm(count, generator=draw)
        yield from torch.split(order[: count // size * size], size)
