"""Principal components."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from bench.contracts.representation import Representation, View
from bench.contracts.samples import Progress, Samples, silent
from bench.errors import BenchError

__all__ = ["PCA", "LinearView"]


class LinearView(View):
    """z = W (x - m) / s and x^ = m + W' s z, with orthonormal rows W.

    Arguments:
        sample: shape of one sample x.
        components: how many rows W has.
    """

    def __init__(self, sample: Sequence[int], components: int) -> None:
        super().__init__()
        self.shape = (components,)
        self.sample = tuple(sample)
        self.mean: Tensor
        self.rows: Tensor
        self.spread: Tensor
        self.register_buffer("mean", torch.zeros(math.prod(sample)))
        self.register_buffer("rows", torch.zeros(components, math.prod(sample)))
        self.register_buffer("spread", torch.ones(components))

    def encode(self, x: Tensor) -> Tensor:
        return (x.flatten(1) - self.mean) @ self.rows.T / self.spread

    def decode(self, z: Tensor) -> Tensor:
        return ((z * self.spread) @ self.rows + self.mean).reshape(-1, *self.sample)


@dataclass(frozen=True)
class PCA(Representation):
    """The leading principal components, each at unit variance.

    Arguments:
        components: how many.
    """

    components: int = 16

    def __post_init__(self) -> None:
        if self.components < 1:
            raise BenchError(f"components = {self.components}; allowed is 1 or more", "for example components=16")

    def build(self, shape: Sequence[int]) -> View:
        return LinearView(shape, self.components)

    def fit(
        self, train: Samples, valid: Samples, *, seed: int, effort: float = 1.0, progress: Progress = silent
    ) -> tuple[View, dict[str, float]]:
        """By singular values, randomised for large data (sklearn.decomposition.PCA)."""
        from sklearn.decomposition import PCA as Decomposition

        flat = train.x.flatten(1).cpu().numpy()
        if self.components > min(flat.shape):
            raise BenchError(
                f"{self.components} components of {flat.shape[0]} samples with {flat.shape[1]} numbers each",
                f"set components to at most {min(flat.shape)}",
            )
        found = Decomposition(self.components, random_state=seed % 2**32).fit(flat)
        view = LinearView(train.x.shape[1:], self.components).to(train.x)
        view.mean = torch.from_numpy(found.mean_).to(train.x)
        view.rows = torch.from_numpy(found.components_).to(train.x)
        view.spread = torch.from_numpy(found.explained_variance_).to(train.x).sqrt().clamp(min=1e-6)
        progress(1, 1, 0.0)
        error = (view.decode(view.encode(valid.x)) - valid.x).square().mean().item()
        variance = (valid.x - valid.x.mean(0)).square().mean().item()
        return view, {"mse": error, "explained_variance": 1 - error / variance}
