"""The double pendulum."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from bench.contracts import Action, MatrixSymmetry, Oracle, Symmetry, Tangent

from ._motion import Motion

__all__ = ["DoublePendulum", "Hamiltonian", "InTime", "Swing"]

TEMPERATURE = 0.4
BACK = torch.diag(torch.tensor([1.0, 1, -1, -1], dtype=torch.float64))
LAWS = ("dynamics", "conserved", "sample")


class Hamiltonian(Oracle):
    """H = (p1^2 + 2 p2^2 - 2 p1 p2 cos d) / (2 (1 + sin^2 d)) - 2 cos a1 - cos a2, d = a1 - a2: (B, 4) -> (B, 1).

    Lengths, masses and gravity are 1; the state is (a1, a2, p1, p2), angles from the vertical and their momenta.
    """

    def forward(self, x: Tensor) -> Tensor:
        a1, a2, p1, p2 = x.unbind(1)
        moving = p1 * p1 + 2 * p2 * p2 - 2 * p1 * p2 * (a1 - a2).cos()
        energy = moving / (2 * (1 + (a1 - a2).sin().square())) - 2 * a1.cos() - a2.cos()
        return energy[:, None]


class Swing(Tangent):
    """F = (dH/dp, -dH/da), (B, 4) -> (B, 4)."""

    def forward(self, x: Tensor) -> Tensor:
        a1, a2, p1, p2 = x.unbind(1)
        sin, cos = (a1 - a2).sin(), (a1 - a2).cos()
        inertia = 1 + sin * sin
        moving = p1 * p1 + 2 * p2 * p2 - 2 * p1 * p2 * cos
        torque = p1 * p2 * sin / inertia - moving * sin * cos / (inertia * inertia)
        return torch.stack([
            (p1 - p2 * cos) / inertia,
            (2 * p2 - p1 * cos) / inertia,
            -torque - 2 * a1.sin(),
            torque - a2.sin(),
        ], 1)  # fmt: skip


class InTime(Symmetry):
    """The motion itself."""

    def __init__(self, action: Action) -> None:
        super().__init__(action, 1)
        self.motion = Swing()

    def velocity(self, x: Tensor) -> Tensor:
        moved: Tensor = self.motion(x)
        return moved[None]


@dataclass(frozen=True)
class DoublePendulum(Motion):
    """The double pendulum in thermal equilibrium, p(x) ~ exp(-H / 0.4): the motion keeps the law and the sample."""

    paper: ClassVar[str] = "https://arxiv.org/abs/2109.09721"

    def draw(self, count: int, rng: np.random.Generator) -> Tensor:
        """Angles by rejection from exp(-V / T) sqrt(det M), momenta normal with covariance T M, M the inertia."""
        angles = np.empty((0, 2))
        while len(angles) < count:
            a = rng.uniform(-math.pi, math.pi, (10 * count, 2))
            height = 3 - 2 * np.cos(a[:, 0]) - np.cos(a[:, 1])
            inertia = 1 + np.sin(a[:, 0] - a[:, 1]) ** 2
            weight = np.exp(-height / TEMPERATURE) * np.sqrt(inertia / 2)
            angles = np.concatenate([angles, a[rng.random(len(a)) < weight]])
        angles = angles[:count]
        cos = np.cos(angles[:, 0] - angles[:, 1])
        first, second = math.sqrt(TEMPERATURE) * rng.standard_normal((2, count))
        p2 = cos / math.sqrt(2) * first + np.sqrt(1 - cos**2 / 2) * second
        return torch.from_numpy(np.stack([*angles.T, math.sqrt(2) * first, p2], 1))

    def oracles(self) -> Mapping[str, Oracle]:
        """`dynamics`: the velocity. `conserved`: the energy."""
        return {"dynamics": Swing(), "conserved": Hamiltonian()}

    def truth(self, action: str, law: str) -> Symmetry | None:
        """Among fields, the motion. Among matrices, finite ones alone: the mirror image; for energy and sample also
        the reversed motion."""
        moves = self.actions().get(action)
        name = self.resolved(law)
        if moves is None or name not in LAWS:
            return None
        if action == "field":
            return InTime(moves)
        mirror = -torch.eye(4, dtype=torch.float64)
        elements = torch.stack([mirror] if name == "dynamics" else [mirror, BACK, -BACK])
        return MatrixSymmetry.of(moves, torch.zeros(0, 4, 4, dtype=torch.float64), elements)
