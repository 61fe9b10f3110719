"""What the data sets of bodies in the plane share: states, the law of their motion, and its rotations."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from bench.contracts import Action, Linear, MatrixSymmetry, NoSymmetry, Oracle, Symmetry

from ._algebras import orthogonal
from ._gravity import Products, Step
from ._law import LawData, between, one_of

__all__ = ["Bodies"]

LAWS = ("dynamics", "invariants", "sample")


@dataclass(frozen=True)
class Bodies(LawData):
    """States (q_1, p_1, q_2, p_2, ...) of bodies in the plane, G = m = 1, about their centre of mass, and a step later.

    Arguments:
        arc: of which starting angles: whole (of the circle) or half.
        time: length of the step.
    """

    arc: Literal["whole", "half"] = "whole"
    time: float = 0.4

    track: ClassVar[tuple[str, str, str]] = ("identity", "dynamics", "blocks")
    labelled_by: ClassVar[str] = "dynamics"
    bodies: ClassVar[int]
    pace: ClassVar[int]

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("arc", self.arc, ("whole", "half"))
        between("time", self.time, 0.01, 1)

    @abstractmethod
    def orbits(self, count: int, rng: np.random.Generator) -> Tensor:
        """States at the angle 0, (count, bodies, 2, 2): body, (q, p), component."""

    def draw(self, count: int, rng: np.random.Generator) -> Tensor:
        angles = torch.from_numpy(rng.uniform(0, 2 * math.pi if self.arc == "whole" else math.pi, count))
        turns = torch.linalg.matrix_exp(angles[:, None, None] * orthogonal(2))
        states = self.orbits(count, rng)
        return torch.einsum("bij,bnaj->bnai", turns, states).reshape(count, -1)

    def actions(self) -> Mapping[str, Action]:
        """`linear`: gl(4 bodies). `blocks`: the same 2 x 2 matrix on every q and p. The next state moves likewise."""
        shape = (4 * self.bodies,)
        return {"linear": Linear(shape, target=Linear(shape)), "blocks": Linear(shape, 2, Linear(shape, 2))}

    def oracles(self) -> Mapping[str, Oracle]:
        """`dynamics`: the state a step later, which turns with the state; `invariants`: all scalar products."""
        return {"dynamics": self.step(), "invariants": Products()}

    def step(self) -> Step:
        """The motion over the length of the step, in `pace` parts for each unit of time."""
        return Step(self.time, math.ceil(self.pace * self.time))

    def truth(self, action: str, law: str) -> Symmetry | None:
        """Rotation of the plane; for the sample as well, unless it has half of the circle.

        Matrices of `linear` that move no state whose centre of mass rests at 0 are left out.
        """
        moves = self.actions().get(action)
        if moves is None or self.resolved(law) not in LAWS:
            return None
        if law == "sample" and self.arc == "half":
            return NoSymmetry(moves)
        turn = orthogonal(2)[0].contiguous()
        return MatrixSymmetry.of(moves, torch.kron(torch.eye(moves.n // 2, dtype=turn.dtype), turn)[None])
