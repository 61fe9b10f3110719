"""Tiny tasks with a closed-form answer."""

import torch
from torch import Tensor

from bench.contracts import Action, Oracle, Samples, Task


class SquaredLength(Oracle):
    """|x|^2: kept by rotations alone."""

    def forward(self, x: Tensor) -> Tensor:
        return x.square().sum(1, keepdim=True)


def gaussian_task(action: Action, seed: int = 0, count: int = 1500) -> Task:
    """Standard normal vectors, whose length is to be kept."""
    draw = torch.Generator().manual_seed(seed)
    D = action.shape[0]
    train, valid = (Samples(torch.randn(n, D, generator=draw)) for n in (count, 512))
    return Task(train, valid, action, seed, oracle=SquaredLength())


def radial_share(fields: Tensor, x: Tensor) -> float:
    """Share of E |v|^2 that points along x: 0 for rotations; fields (K, B, D)."""
    radial = (fields * x).sum(-1) / x.norm(dim=1)
    return (radial.square().mean() / fields.square().sum(-1).mean()).item()
