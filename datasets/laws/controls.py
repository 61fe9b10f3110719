"""Controls: random laws with no symmetry, with a broken one, or with coordinates that they ignore."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, NamedTuple

import numpy as np
import torch
from torch import Tensor

from bench.contracts import Action, Linear, MatrixSymmetry, NoSymmetry, Oracle, Symmetry

from ._algebras import block, orthogonal
from ._law import LawData, between, one_of

__all__ = ["Controls", "Hermite", "kept_by"]

TERMS = 3
TURNS = 5
SMALL = 1e-9
TASKS = 1_000_000


class Waves(NamedTuple):
    """sum_j c_j He_d(a_j . x): degree d, unit vectors a (J, n), c (J,)."""

    degree: int
    a: Tensor
    c: Tensor

    def spread(self) -> float:
        """The deviation over normal x: E He_d(a.x) He_d(b.x) = d! (a.b)^d."""
        overlaps = (self.a @ self.a.T) ** self.degree
        return math.sqrt(math.factorial(self.degree) * (self.c @ overlaps @ self.c).item())

    def times(self, factor: float) -> Waves:
        return self._replace(c=factor * self.c)


class Hermite(Oracle):
    """phi(x) = sum_j c_j He_d(a_j . x) over parts of degrees 2, 3 and 4, for samples (B, n)."""

    def __init__(self, parts: Sequence[Waves]) -> None:
        super().__init__()
        self.parts = parts

    def forward(self, x: Tensor) -> Tensor:
        values = [_hermite(part.degree, x @ part.a.T.to(x)) @ part.c.to(x) for part in self.parts]
        return torch.stack(values).sum(0)[:, None]


@dataclass(frozen=True)
class Controls(LawData):
    """Normal vectors and a random polynomial of degree 4 at most; `task` selects one of a million.

    none: degrees 2 and 3, which no matrix keeps. broken: strength times an even polynomial that one rotation, of a
    random plane, keeps, plus (1 - strength) times a cubic that none does; both of variance 1 and uncorrelated along any
    matrix. irrelevant: as none, of all but one random direction.

    Arguments:
        kind: none, broken or irrelevant.
        strength: of the symmetry of broken, from 0, none, to 1, exact.
        task: which law, 0 to 999999.
        n: dimension, 3 to 10.
    """

    kind: Literal["none", "broken", "irrelevant"] = "none"
    strength: float = 0.5
    task: int = 0
    n: int = 4

    track: ClassVar[tuple[str, str, str]] = ("identity", "law", "linear")

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("kind", self.kind, ("none", "broken", "irrelevant"))
        between("strength", self.strength, 0, 1)
        between("task", self.task, 0, TASKS - 1)
        between("n", self.n, 3, 10)

    def draw(self, count: int, rng: np.random.Generator) -> Tensor:
        return torch.from_numpy(rng.standard_normal((count, self.n)))

    def actions(self) -> Mapping[str, Action]:
        """gl(n)."""
        return {"linear": Linear((self.n,))}

    def oracles(self) -> Mapping[str, Oracle]:
        """The law of the task."""
        rng = np.random.default_rng([self.task, self.n])
        frame = torch.linalg.qr(torch.from_numpy(rng.standard_normal((self.n, self.n)))).Q
        if self.kind == "broken":
            turns = _turns(frame)
            even = _shared([_waves(degree, self.n, rng, turns) for degree in (2, 4)], self.strength)
            return {"law": Hermite([*even, *_shared([_waves(3, self.n, rng)], 1 - self.strength)])}
        seen = frame[:, 1:] if self.kind == "irrelevant" else frame
        parts = [_waves(degree, seen.shape[1], rng) for degree in (2, 3)]
        return {"law": Hermite(_shared([part._replace(a=part.a @ seen.T) for part in parts], 1))}

    def truth(self, action: str, law: str) -> Symmetry | None:
        """The matrices that keep the law, computed for each task; so(n), that of normal vectors, for the sample."""
        linear = self.actions().get(action)
        name = self.resolved(law)
        if linear is None or name not in ("law", "sample"):
            return None
        generators = orthogonal(self.n) if name == "sample" else kept_by(self.oracles()["law"], self.n)
        return MatrixSymmetry.of(linear, generators) if len(generators) else NoSymmetry(linear)


def kept_by(phi: Oracle, n: int) -> Tensor:
    """An orthonormal basis (K, n, n) of the matrices A with d phi(A x) = 0 for all x, phi a polynomial of one output.

    The null space of the rates d_i phi(x) x_j at 4 n^2 normal points, singular values under 1e-9 of the largest.
    """
    x = torch.randn(4 * n**2, n, generator=torch.Generator().manual_seed(0), dtype=torch.float64, requires_grad=True)
    with torch.enable_grad():
        slope = torch.autograd.grad(phi(x).sum(), x)[0]
    rates = (slope[:, :, None] * x.detach()[:, None]).flatten(1)
    _, sizes, directions = torch.linalg.svd(rates, full_matrices=False)
    kept: Tensor = directions[sizes < SMALL * sizes[0]]
    return kept.reshape(-1, n, n)


def _hermite(degree: int, u: Tensor) -> Tensor:
    """u^2 - 1, u^3 - 3 u or u^4 - 6 u^2 + 3."""
    square = u * u
    return {2: square - 1, 3: u * (square - 3), 4: (square - 6) * square + 3}[degree]


def _waves(degree: int, n: int, rng: np.random.Generator, turns: Tensor | None = None) -> Waves:
    """3 n random terms; with turns (T, n, n), the mean over them."""
    a = torch.from_numpy(rng.standard_normal((TERMS * n, n)))
    a = a / a.norm(dim=1, keepdim=True)
    c = torch.from_numpy(rng.standard_normal(TERMS * n))
    if turns is not None:
        a, c = (a @ turns).flatten(0, 1), c.repeat(len(turns))
    waves = Waves(degree, a, c)
    return waves.times(1 / waves.spread())


def _shared(parts: Sequence[Waves], factor: float) -> list[Waves]:
    """Parts of variance 1, of which the sum has the deviation `factor`."""
    return [part.times(factor / math.sqrt(len(parts))) for part in parts]


def _turns(frame: Tensor) -> Tensor:
    """Five turns of the plane of a frame's first two vectors: a quartic's mean over them is that over the circle."""
    angles = 2 * torch.pi / TURNS * torch.arange(TURNS, dtype=frame.dtype)
    generator = frame @ block(orthogonal(2), len(frame))[0] @ frame.T
    turns: Tensor = torch.linalg.matrix_exp(angles[:, None, None] * generator)
    return turns
