"""One way to train a network: Adam, a cosine schedule, the best state on validation kept."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from bench.contracts.samples import Progress, silent

__all__ = ["initialise", "train"]


def initialise(network: nn.Module, seed: int) -> None:
    """Draw all parameters anew from the seed; the global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for module in network.modules():
            reset = getattr(module, "reset_parameters", None)
            if callable(reset):
                reset()


def train(
    network: nn.Module,
    loss: Callable[[Tensor, float], Tensor],
    valid_loss: Callable[[], float],
    *,
    size: int,
    steps: int,
    batch: int,
    rate: float,
    patience: int = 4,
    checks: int = 15,
    draw: torch.Generator,
    progress: Progress = silent,
) -> float:
    """Train until `steps` are done or validation has not improved for `patience` checks; keep the best state.

    Arguments:
        loss: (indices of a batch, fraction of the training done) -> scalar.
        valid_loss: the loss on validation; smaller is better.
        size: number of training samples.
        rate: highest learning rate; it rises over the first tenth and falls to zero along a cosine.
        checks: how often validation is looked at.
        draw: generator of the order of the samples.

    Returns:
        The best validation loss, whose state the network has in the end.
    """
    optimiser = torch.optim.Adam(network.parameters(), rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step / steps))
    best, state, since = math.inf, {k: v.clone() for k, v in network.state_dict().items()}, 0
    every = max(1, steps // checks)
    batches: list[Tensor] = []
    network.train()
    for step in range(1, steps + 1):
        if not batches:
            batches = list(torch.randperm(size, generator=draw).split(batch))
        value = loss(batches.pop(), (step - 1) / steps)
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        schedule.step()
        progress(step, steps, float(value.detach()))
        if step % every == 0 or step == steps:
            with torch.no_grad():
                found = valid_loss()
            since = 0 if found < best else since + 1
            if found < best:
                best, state = found, {k: v.clone() for k, v in network.state_dict().items()}
            if since >= patience:
                break
    network.load_state_dict(state)
    network.eval()
    return best


def _rate(done: float) -> float:
    """The learning rate's share of its highest value."""
    return min(1.0, (done + 0.01) * 10) * 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
