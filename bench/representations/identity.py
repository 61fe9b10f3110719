"""The samples as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from bench.contracts.representation import Representation, View
from bench.contracts.samples import Progress, Samples, silent

__all__ = ["Identity", "IdentityView"]


class IdentityView(View):
    """z = x."""

    def __init__(self, shape: Sequence[int]) -> None:
        super().__init__()
        self.shape = tuple(shape)

    def encode(self, x: Tensor) -> Tensor:
        return x

    def decode(self, z: Tensor) -> Tensor:
        return z


@dataclass(frozen=True)
class Identity(Representation):
    """No view but the data."""

    def build(self, shape: Sequence[int]) -> View:
        return IdentityView(shape)

    def fit(
        self, train: Samples, valid: Samples, *, seed: int, effort: float = 1.0, progress: Progress = silent
    ) -> tuple[View, dict[str, float]]:
        return self.build(train.x.shape[1:]), {}
