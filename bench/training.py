"""One way to train a network: Adam, a cosine schedule, the best state on validation kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bench.contracts.samples import Progress, silent

__all__ = ["Schedule", "initialise", "optimise"]


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train.

    Arguments:
        steps: optimiser steps.
        batch: samples a step.
        rate: highest learning rate; it rises over the first tenth and falls to zero along a cosine.
        decay: decoupled weight decay (Loshchilov and Hutter, arXiv:1711.05101).
        checks: how often validation is looked at.
        patience: after so many checks without a better one, training ends.
    """

    steps: int
    batch: int = 128
    rate: float = 2e-3
    decay: float = 0.0
    checks: int = 20
    patience: int = 6

    def factor(self, step: int) -> float:
        """The learning rate's share of its highest value."""
        done = min(step / self.steps, 1.0)
        return min(1.0, 10 * done + 0.1) * 0.5 * (1 + math.cos(math.pi * done))


def initialise(network: nn.Module, seed: int) -> None:
    """Draw all parameters anew from the seed; the global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for module in network.modules():
            reset = getattr(module, "reset_parameters", None)
            if callable(reset):
                reset()


def optimise(
    network: nn.Module,
    loss: Callable[[Tensor, float], Tensor],
    valid_loss: Callable[[], float],
    size: int,
    schedule: Schedule,
    draw: torch.Generator,
    progress: Progress = silent,
) -> float:
    """Train until the schedule or the patience ends, and keep the state that was best on validation.

    Arguments:
        loss: (indices of a batch, fraction of the training done) -> scalar.
        valid_loss: the loss on validation, asked for in evaluation mode.
        size: number of training samples.
        draw: generator of the order of the samples.

    Returns:
        The best validation loss, that of the state in which the network is left, in evaluation mode.
    """
    optimiser = torch.optim.AdamW(network.parameters(), schedule.rate, weight_decay=schedule.decay)
    rates = torch.optim.lr_scheduler.LambdaLR(optimiser, schedule.factor)
    batches = _batches(size, schedule.batch, draw)
    every = max(1, schedule.steps // schedule.checks)
    best, state, since = math.inf, _copy(network), 0
    network.train()
    for step in range(1, schedule.steps + 1):
        value = loss(next(batches), (step - 1) / schedule.steps)
        optimiser.zero_grad()
        torch.autograd.backward(value)
        optimiser.step()
        rates.step()
        progress(step, schedule.steps, value.item())
        if step % every == 0 or step == schedule.steps:
            network.eval()
            with torch.no_grad():
                found = valid_loss()
            network.train()
            since += 1
            if found < best:
                best, state, since = found, _copy(network), 0
            if since >= schedule.patience:
                break
    network.load_state_dict(state)
    network.eval()
    return best


def _batches(size: int, batch: int, draw: torch.Generator) -> Iterator[Tensor]:
    """Indices in full batches, each sample at most once an epoch; what is left over is left out."""
    batch = min(batch, size)
    while True:
        order = torch.randperm(size, generator=draw)
        for start in range(0, size - batch + 1, batch):
            yield order[start : start + batch]


def _copy(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}
