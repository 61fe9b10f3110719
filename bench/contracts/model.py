"""Model: a predictor trained with or without a symmetry."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

from torch import nn

from bench.contracts.problem import Kind, Problem
from bench.contracts.symmetry import Symmetry
from bench.contracts.task import Task

__all__ = ["Model", "Needs"]

Needs = Literal["nothing", "transform", "matrices"]


class Model(ABC):
    """A frozen dataclass whose fields are its hyper-parameters.

    `build(problem, symmetry)` followed by `load_state_dict` rebuilds what `fit` returns, in another process. No
    symmetry and one that found nothing (K = M = 0) are the same: the model without help.

    `Unsuitable`, from `build` or `fit`, says that the model is not made for such samples, targets or symmetries: the
    run is skipped. Any other error is a failure of the model.

    Class variables:
        needs: what of a symmetry it uses: `nothing`, its symmetry being built in; `transform`; or `matrices`.
        problems: the kinds that it can learn.
        paper: where it was published.

    Attributes:
        normal: the label of the samples that an anomaly search is trained on.
    """

    needs: ClassVar[Needs] = "nothing"
    problems: ClassVar[tuple[Kind, ...]] = ("classification",)
    paper: ClassVar[str] = ""
    normal: int = 0

    @abstractmethod
    def build(self, problem: Problem, symmetry: Symmetry | None) -> nn.Module:
        """An untrained predictor (B, *shape) -> (B, *outputs). Unsuitable if it can be none of this problem."""

    @abstractmethod
    def fit(self, task: Task, symmetry: Symmetry | None) -> nn.Module:
        """The trained predictor of `task.problem`, in evaluation mode."""
