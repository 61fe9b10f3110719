"""What the law data sets share: samples drawn from a seed and labelled by an exact oracle."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from bench.contracts import BenchError, Dataset, Oracle, Samples, Split

__all__ = ["LawData", "between", "one_of"]

STREAMS: dict[Split, int] = {"train": 0, "valid": 1, "test": 2}
TEST = 4000
MOST = 1_000_000


@dataclass(frozen=True)
class LawData(Dataset):
    """Samples (N, *s) in float64, drawn anew from (seed, split), with labels y = phi(x) by an oracle that is a formula.

    Arguments:
        samples: for training; a fifth as many for validation, and always 4000 for the test.
    """

    samples: int = 10_000

    labelled_by: ClassVar[str] = "law"

    def __post_init__(self) -> None:
        between("samples", self.samples, 10, MOST)

    @abstractmethod
    def draw(self, count: int, rng: np.random.Generator) -> Tensor:
        """Samples (count, *s) in float64."""

    def load(self, split: Split, seed: int) -> Samples:
        """The samples of a split and what the oracle `labelled_by` says of them."""
        count = {"train": self.samples, "valid": max(1, self.samples // 5), "test": TEST}[split]
        x = self.draw(count, np.random.default_rng([STREAMS[split], seed]))
        with torch.no_grad():
            return Samples(x, self.label(x))

    def label(self, x: Tensor) -> Tensor:
        """phi(x), (B, m)."""
        oracle: Oracle = self.oracles()[self.labelled_by]
        y: Tensor = oracle(x)
        return y

    def resolved(self, law: str) -> str:
        """The oracle that a law's name stands for: labels are what the law says."""
        return self.labelled_by if law == "labels" else law


def between(name: str, value: float, least: float, most: float) -> None:
    """BenchError unless least <= value <= most."""
    if not least <= value <= most:
        what = f"{name} = {value:g}; allowed is {least:g} to {most:g}"
        raise BenchError(what, f"for example {name}={least:g}", usage=True)


def one_of(name: str, value: str, allowed: tuple[str, ...]) -> None:
    """BenchError unless the value is allowed."""
    if value not in allowed:
        raise BenchError(f"{name} = {value!r}; allowed are {', '.join(allowed)}", "choose one of them", usage=True)
