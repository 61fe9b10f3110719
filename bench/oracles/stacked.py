"""Several oracles as one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from bench.contracts.oracle import Oracle
from bench.contracts.samples import Progress, Samples, silent

__all__ = ["Stacked"]

CHUNK = 2000
LEAST = 0.05


class Stacked(Oracle):
    """phi(x) = (phi_1(x), phi_2(x), ...), each component at mean 0 and variance 1 over the training samples.

    A component that hardly varies is divided by a twentieth of its oracle's largest deviation instead of its own.

    Arguments:
        parts: the oracles.
        sizes: how many components each has.
    """

    def __init__(self, parts: Sequence[Oracle], sizes: Sequence[int]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)
        self.sizes = tuple(sizes)
        self.mean: Tensor
        self.spread: Tensor
        self.register_buffer("mean", torch.zeros(sum(sizes)))
        self.register_buffer("spread", torch.ones(sum(sizes)))

    def forward(self, x: Tensor) -> Tensor:
        return (self._values(x) - self.mean) / self.spread

    def _values(self, x: Tensor) -> Tensor:
        return torch.cat([part(x) for part in self.parts], -1)

    def fit(
        self, train: Samples, valid: Samples, *, seed: int, effort: float = 1.0, progress: Progress = silent
    ) -> dict[str, float]:
        """Each part in turn, then mean and deviation; returns the parts' figures."""
        figures: dict[str, float] = {}
        self.to(train.x)
        for part in self.parts:
            assert isinstance(part, Oracle)
            figures |= part.fit(train, valid, seed=seed, effort=effort, progress=progress)
        with torch.no_grad():
            values = torch.cat([self._values(train.x[i : i + CHUNK]) for i in range(0, len(train), CHUNK)]).double()
        parts = torch.tensor_split(values.std(0), np.cumsum(self.sizes)[:-1].tolist())
        spread = torch.cat([s.clamp(min=LEAST * s.max()) for s in parts])
        self.mean, self.spread = values.mean(0).to(train.x), spread.to(train.x)
        return figures
