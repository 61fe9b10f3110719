"""Samples and the reporting of progress: what flows between all other contracts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from torch import Tensor

__all__ = ["Progress", "Samples", "Split", "silent"]

Split = Literal["train", "valid", "test"]
Progress = Callable[[int, int, float], None]
"""Called as progress(step, steps, loss)."""


def silent(step: int, steps: int, loss: float) -> None:
    """A progress that tells nobody."""


@dataclass(frozen=True)
class Samples:
    """Samples and their labels.

    Arguments:
        x: the samples, shape (N, *s).
        y: the labels or targets, shape (N,) or (N, *t); None where they are withheld. Classes that are all -1 stand for
            none.
    """

    x: Tensor
    y: Tensor | None = None

    def __post_init__(self) -> None:
        if self.y is not None and len(self.y) != len(self.x):
            raise ValueError(f"{len(self.x)} samples but {len(self.y)} labels")

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: slice | Tensor) -> Samples:
        return Samples(self.x[index], None if self.y is None else self.y[index])

    @property
    def labelled(self) -> bool:
        """Whether there are labels."""
        y = self.y
        return y is not None and (y.is_floating_point() or not len(y) or bool((y >= 0).any()))

    def with_x(self, x: Tensor) -> Samples:
        """The same labels on other coordinates of the same samples."""
        return replace(self, x=x)

    def unlabelled(self) -> Samples:
        """The same samples, labels withheld."""
        return Samples(self.x)

    def to(self, device: str) -> Samples:
        """The same samples on `device`."""
        return Samples(self.x.to(device), None if self.y is None else self.y.to(device))
