"""What the data sets of vector fields share: states, their velocities, and fields given by formulas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from bench.contracts import Action, Field, Linear, Symmetry

from ._law import LawData

__all__ = ["LinearFields", "Motion"]


@dataclass(frozen=True)
class Motion(LawData):
    """States x and their velocities y = F(x)."""

    track: ClassVar[tuple[str, str, str]] = ("identity", "dynamics", "field")
    labelled_by: ClassVar[str] = "dynamics"

    def width(self) -> int:
        """The dimension D of the states."""
        return 4

    def actions(self) -> Mapping[str, Action]:
        """`field`: any vector field. `linear`: gl(D). The velocity moves as a tangent vector does."""
        shape = (self.width(),)
        return {"field": Field(shape, Field(shape)), "linear": Linear(shape, target=Linear(shape))}


class LinearFields(Symmetry):
    """v_k(x) = A_k x among all vector fields, A (K, D, D)."""

    def __init__(self, action: Action, K: int) -> None:
        super().__init__(action, K)
        self.A: Tensor
        self.register_buffer("A", torch.zeros(K, action.n, action.n))

    @classmethod
    def of(cls, action: Action, A: Tensor) -> LinearFields:
        """The fields of given matrices (K, D, D)."""
        self = cls(action, len(A))
        self.A = A
        return self

    def config(self) -> dict[str, Any]:
        return {"K": self.K}

    def velocity(self, x: Tensor) -> Tensor:
        return torch.einsum("kij,bj->kbi", self.A.to(x), x)

    def transform(self, x: Tensor, t: Tensor) -> Tensor:
        """exp(sum_k t_k A_k) x."""
        turns = torch.linalg.matrix_exp(torch.einsum("bk,kij->bij", t, self.A.to(t)))
        return torch.einsum("bij,bj->bi", turns, x)
