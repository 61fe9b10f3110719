"""The Schwarzschild black hole, and the flat space that its coordinates hide."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from bench.contracts import Action, Equivariant, Field, Oracle, Symmetry, Tangent

from ._motion import Motion

__all__ = ["CoMetric", "Killing", "Metric", "Rain", "RainTime", "Schwarzschild", "Translations"]

CENTRE, RADIUS, DURATION = 8.0, 2.0, 2.0
TENSOR = (4, 4)


def _radius(x: Tensor) -> Tensor:
    radius: Tensor = x[:, 1:].norm(dim=1, keepdim=True)
    return radius


def _tilt(x: Tensor) -> Tensor:
    """dT / dx - dt / dx = sqrt(2 / r) / (1 - 2 / r) n, n = x / r: (B, 4) -> (B, 3)."""
    r = _radius(x)
    return (2 / r).sqrt() / (1 - 2 / r) * x[:, 1:] / r


class RainTime(Oracle):
    """T = t + 2 sqrt(2 r) + 2 ln((sqrt r - sqrt 2) / (sqrt r + sqrt 2)): (B, 4) -> (B, 1).

    The time of Gullstrand and Painleve, which clocks show that fall from rest at infinity; r > 2.
    """

    def forward(self, x: Tensor) -> Tensor:
        root = _radius(x).sqrt()
        return x[:, :1] + 2 * math.sqrt(2) * root + 2 * ((root - math.sqrt(2)) / (root + math.sqrt(2))).log()


class Rain(Tangent):
    """The velocity of what falls from rest at infinity, (1 / (1 - 2 / r), -sqrt(2 / r) n): (B, 4) -> (B, 4)."""

    def forward(self, x: Tensor) -> Tensor:
        r = _radius(x)
        return torch.cat([1 / (1 - 2 / r), -(2 / r).sqrt() * x[:, 1:] / r], 1)


class _TwoTensor(Equivariant):
    """A symmetric tensor with two indices, (B, 4) -> (B, 16), which a map carries along by its derivative."""

    def carried(self, symmetry: Symmetry, x: Tensor, t: Tensor) -> Tensor:
        def column(axis: Tensor) -> Tensor:
            moved: Tensor = torch.func.jvp(lambda at: symmetry.transform(at, t), (x,), (axis.expand_as(x),))[1]
            return moved

        J = torch.func.vmap(column, out_dims=2)(torch.eye(4).to(x))
        here: Tensor = self(x)
        return self._by(J, here.reshape(-1, *TENSOR)).flatten(1)

    @abstractmethod
    def _by(self, J: Tensor, tensor: Tensor) -> Tensor:
        """A tensor at x as the derivative J carries it, both (B, 4, 4)."""


class Metric(_TwoTensor):
    """g = -(1 - 2 / r) dt^2 + dx^2 + 2 / (r - 2) dr^2."""

    def forward(self, x: Tensor) -> Tensor:
        r = _radius(x)
        n = x[:, 1:] / r
        space = torch.eye(3).to(x) + (2 / (r - 2))[:, :, None] * n[:, :, None] * n[:, None]
        g: Tensor = torch.nn.functional.pad(space, (1, 0, 1, 0))
        g[:, 0, 0] = 2 / r[:, 0] - 1
        return g.flatten(1)

    def _by(self, J: Tensor, tensor: Tensor) -> Tensor:
        back = torch.linalg.inv(J)
        carried: Tensor = back.mT @ tensor @ back
        return carried


class CoMetric(_TwoTensor):
    """h = sum_i v_i v_i' = g^-1 + u u', the inverse metric of the space of one rain time, u the rain's velocity.

    v_i = d/dx_i at constant T: in the coordinates (T, x), h is the constant diag(0, 1, 1, 1).
    """

    def forward(self, x: Tensor) -> Tensor:
        v = _at_constant_time(x)
        return torch.einsum("bia,bic->bac", v, v).flatten(1)

    def _by(self, J: Tensor, tensor: Tensor) -> Tensor:
        return J @ tensor @ J.mT


def _at_constant_time(x: Tensor) -> Tensor:
    """d/dx_i at constant rain time, (B, 4) -> (B, 3, 4)."""
    along = torch.eye(3).to(x).expand(len(x), 3, 3)
    return torch.cat([-_tilt(x)[:, :, None], along], 2)


class Killing(Symmetry):
    """d/dt and the three rotations."""

    def __init__(self, action: Action) -> None:
        super().__init__(action, 4)

    def velocity(self, x: Tensor) -> Tensor:
        time = torch.zeros_like(x)
        time[:, 0] = 1
        turned = torch.linalg.cross(torch.eye(3).to(x)[:, None].expand(3, *x[:, 1:].shape), x[:, 1:].expand(3, -1, -1))
        return torch.cat([time[None], torch.nn.functional.pad(turned, (1, 0))])


class Translations(Symmetry):
    """d/dx_i at constant rain time T: the translations that Gullstrand-Painleve coordinates show."""

    def __init__(self, action: Action) -> None:
        super().__init__(action, 3)
        self.clock = RainTime()

    def velocity(self, x: Tensor) -> Tensor:
        return _at_constant_time(x).transpose(0, 1)

    def transform(self, x: Tensor, t: Tensor) -> Tensor:
        """x + t in space, and the t that leaves T as it is."""
        moved = x + torch.nn.functional.pad(t, (1, 0))
        late: Tensor = self.clock(moved) - self.clock(x)
        return moved - torch.nn.functional.pad(late, (0, 3))


@dataclass(frozen=True)
class Schwarzschild(Motion):
    """Events (t, x, y, z) near a black hole of mass 1, uniform in a ball of radius 2 about (8, 0, 0) and |t| < 2.

    In the coordinates (T, x), T the rain time of Gullstrand and Painleve, space at one time is flat: translations,
    which Schwarzschild's t hides, are symmetries of its inverse metric.
    """

    track: ClassVar[tuple[str, str, str]] = ("identity", "space", "field")
    paper: ClassVar[str] = "https://arxiv.org/abs/2109.09721"

    def draw(self, count: int, rng: np.random.Generator) -> Tensor:
        direction = rng.standard_normal((count, 3))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        place = RADIUS * rng.random((count, 1)) ** (1 / 3) * direction + [CENTRE, 0, 0]
        return torch.from_numpy(np.concatenate([rng.uniform(-DURATION, DURATION, (count, 1)), place], 1))

    def actions(self) -> Mapping[str, Action]:
        """`field`: any vector field."""
        return {"field": Field((4,), Field((4,)))}

    def oracles(self) -> Mapping[str, Oracle]:
        """`dynamics`: the velocity of falling rain. `metric`: g. `space`: the inverse metric of space at one rain time.
        `conserved`: the rain time."""
        return {"dynamics": Rain(), "metric": Metric(), "space": CoMetric(), "conserved": RainTime()}

    def truth(self, action: str, law: str) -> Symmetry | None:
        """The four Killing fields for metric and rain; the three hidden translations for space and rain time."""
        moves = self.actions().get(action)
        truths: Mapping[str, Callable[[Action], Symmetry]] = {
            "dynamics": Killing, "metric": Killing, "space": Translations, "conserved": Translations,
        }  # fmt: skip
        named = truths.get(self.resolved(law))
        return None if moves is None or named is None else named(moves)
