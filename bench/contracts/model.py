"""Model: a predictor trained with or without a symmetry."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import nn

from bench.contracts.symmetry import Symmetry
from bench.contracts.task import Task

__all__ = ["Model"]


class Model(ABC):
    """A frozen dataclass whose fields are its hyper-parameters.

    Class variables:
        needs: what of a symmetry it uses: `nothing`, `transform` or `matrices`.
        problem: `classification`, `regression` or `anomaly`.
    """

    needs: ClassVar[str] = "nothing"
    problem: ClassVar[str] = "classification"
    paper: ClassVar[str] = ""

    @abstractmethod
    def fit(self, task: Task, symmetry: Symmetry | None) -> nn.Module:
        """The trained predictor x -> logits or target."""
